"""The published TensorFlow BigGAN-deep generators, as pytorch-pretrained-biggan keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmcgan.peers.formats import register_peer
from mmcgan.peers.formats.format import (
    GENERATOR,
    TORCH_SPECTRAL,
    Config,
    PeerFormat,
    Settings,
    Spec,
    State,
    UnsupportedSetting,
)
from mmcgan.structures import Condition

LABEL_TABLE = "condition.label.weight"


class PublishedFormat(PeerFormat):
    """Keys under ``generator.``, a table of labels on its side, and a truncation among the inputs."""

    def _unslotted(self, keys: list[str]) -> list[str]:
        plain = [key.removeprefix("generator.").replace("layers.", "blocks.", 1) for key in keys]
        return super()._unslotted(plain)

    def convert_state(self, state: Mapping[str, Tensor], role: str) -> State:
        """Return our state dict; the label table is turned to one row per class."""
        converted = super().convert_state(state, role)
        if LABEL_TABLE in converted:
            converted[LABEL_TABLE] = converted[LABEL_TABLE].T.contiguous()
        return converted

    def generate(
        self, module: nn.Module, latent: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Return images with the batch statistics of ``inputs["truncation"]``, 1 by default."""
        truncation = float(inputs.get("truncation", 1.0))
        return module.forward_truncated(latent, condition, truncation)  # type: ignore[operator]


def _attention_blocks(position: int, blocks: int) -> list[int]:
    """Return the index of the block that attention follows; the peer names the block after it."""
    if not 0 < position < blocks:
        raise UnsupportedSetting(f"attention_layer_position={position} is not between blocks")
    return [position - 1]


def _plan(layers: Sequence[Sequence[int]], width: int) -> list[list[Any]]:
    return [[bool(enlarge), before * width, after * width] for enlarge, before, after in layers]


def _generator(spec: Spec) -> Config:
    settings = Settings(spec["constructor"]["BigGANConfig"])
    settings.ignore("num_layers")
    width, layers, eps = settings.take("channel_width"), settings.take("layers"), settings.take("eps", 1e-4)
    norm = {"eps": eps, "rows": settings.take("n_stats", 51), "swapped_rows": True}
    config = {
        "type": "BigGANDeepGenerator",
        "image_size": settings.take("output_dim"),
        "num_classes": settings.take("num_classes", 1000),
        "base_channels": width,
        "latent_dim": settings.take("z_dim", 128),
        "shared_dim": settings.take("class_embed_dim", 128),
        "block_plan": _plan(layers, width),
        "attention_blocks": _attention_blocks(settings.take("attention_layer_position"), len(layers)),
        "latent_first": True,
        "bottom_channels_last": True,
        "image_filters": width,
        "spectral_norm": {"eps": eps, "iterate_in_eval": False},
        "batch_norm": norm,
        "output_batch_norm": norm,
    }
    settings.finish()
    return config


def _no_discriminator(spec: Spec) -> Config:
    raise UnsupportedSetting("the discriminators of these generators were never published")


def is_published(spec: Spec) -> bool:
    """Whether a description has a ``BigGANConfig``."""
    constructor = spec.get("constructor")
    return isinstance(constructor, Mapping) and "BigGANConfig" in constructor


PUBLISHED_BIGGAN = register_peer(
    PublishedFormat(
        name="hfbiggan",
        peer="hfbiggan",
        accepts=is_published,
        role_of=lambda spec: GENERATOR,
        generator_config=_generator,
        discriminator_config=_no_discriminator,
        tables={
            GENERATOR: (
                (r"^embeddings\.", "condition.label."),
                (r"^gen_z\.", "linear."),
                (r"^bn\.", "output_norm.norm."),
                (r"^conv_to_rgb\.", "output_conv."),
                (r"running_means$", "means"),
                (r"running_vars$", "variances"),
                *(
                    step
                    for i in range(4)
                    for step in (
                        (rf"\.bn_{i}\.scale\.", f".norm{i + 1}.gain."),
                        (rf"\.bn_{i}\.offset\.", f".norm{i + 1}.bias."),
                        (rf"\.bn_{i}\.", f".norm{i + 1}.norm."),
                        (rf"\.conv_{i}\.", f".conv{i + 1}."),
                    )
                ),
                (r"\.snconv1x1_theta\.", ".query."),
                (r"\.snconv1x1_phi\.", ".key."),
                (r"\.snconv1x1_g\.", ".value."),
                (r"\.snconv1x1_o_conv\.", ".output."),
                *TORCH_SPECTRAL,
            ),
        },
        slots=r"blocks\.(\d+)\.gamma$",
        inputs={"z": "latent", "y": "label"},
    )
)
