"""SPADE's encoder and layers by themselves, which golden cases record and no checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor, nn

from mmcgan.models.encoder import SPADEEncoder
from mmcgan.models.layers.spade import SPADE, SPADEBlock
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.spade.names import BLOCK_TABLE, ENCODER_TABLE
from mmcgan.peers.spade.settings import other_norm, settings_of, spade_norm
from mmcgan.peers.translation import PeerFormat, PeerNetwork, Spec, State, UnsupportedSetting, register_peer

ENCODER, PART = "encoder", "part"
ENCODER_SIDE = 256


def _is(kind: str) -> Callable[[Spec], bool]:
    return lambda spec: str(spec.get("kind", "")) == kind


class EncoderFormat(PeerFormat):
    """The encoder of a conditional VAE."""

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained encoder; the peer's always looks at 256 x 256 pixels.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        settings = settings_of(spec)
        if settings.take("crop_size", ENCODER_SIDE) < ENCODER_SIDE:
            raise UnsupportedSetting(f"crop_size below {ENCODER_SIDE}, with which the peer's encoder fails")
        if other_norm(settings.take("norm_E", "spectralinstance")) != "instance":
            raise UnsupportedSetting("an encoder with another norm than instance norm")
        encoder = SPADEEncoder(256, settings.take("ngf", 64), ENCODER_SIDE)
        settings.ignore("z_dim", "aspect_ratio")
        settings.finish()
        return encoder

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return mean and log-variance under the peer's numbers."""
        mean, log_variance = network.module(given["image"])
        return {"0": mean, "1": log_variance}


class LayerFormat(PeerFormat):
    """A SPADE layer or block: features and a map in, features out."""

    def build(self, spec: Spec) -> nn.Module:
        """Return our untrained layer or block.

        Raises:
            UnsupportedSetting: a setting that we have no counterpart for.
        """
        settings = settings_of(spec)
        block = _is("block")(spec)
        spectral, options = spade_norm(settings.take("norm_G" if block else "config_text"))
        map_channels = settings.take("semantic_nc" if block else "label_nc")
        layer = partial(SPADE, map_channels=map_channels, **options)
        if block:
            sizes = (settings.take("fin"), settings.take("fout"))
            part: nn.Module = SPADEBlock(*sizes, layer, CLASSIC_SPECTRAL if spectral else None)
        else:
            part = SPADE(settings.take("norm_nc"), map_channels, **options)
        settings.finish()
        return part

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return the features of ``x`` under ``seg``."""
        return {"": network.module(given["image"], inputs["seg"])}


register_peer(
    EncoderFormat(
        name="spade_encoder",
        peer="spade",
        accepts=_is("network/E"),
        role_of=lambda spec: ENCODER,
        configs={},
        tables={ENCODER: ENCODER_TABLE},
        inputs={"image": "image"},
    )
)
register_peer(
    LayerFormat(
        name="spade_layer",
        peer="spade",
        accepts=lambda spec: _is("layer")(spec) or _is("block")(spec),
        role_of=lambda spec: PART,
        configs={},
        tables={PART: BLOCK_TABLE},
        inputs={"x": "image", "seg": "map"},
    )
)
