"""SPADE: generator with or without an encoder, and multi-scale discriminator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.backbones.patch import layer_name
from mmcgan.models.layers.spectral_norm import CLASSIC_SPECTRAL
from mmcgan.peers.reading import spade
from mmcgan.peers.spade.names import DISCRIMINATOR_TABLE, ENCODER_PREFIX, GENERATOR_TABLE
from mmcgan.peers.spade.settings import describe, discriminator, generator
from mmcgan.peers.translation import (
    DISCRIMINATOR,
    GENERATOR,
    HOOK,
    Config,
    Exported,
    PeerFormat,
    PeerNetwork,
    Reading,
    Spec,
    State,
    Writing,
    register_peer,
)
from mmcgan.structures import Condition


class SPADEFormat(PeerFormat):
    """The peer's networks take one-hot maps where ours take ids; these enter behind the encoding.

    An encoder, whose weights the peer keeps in a file of their own, belongs to a generator's state
    under ``encoder.``.
    """

    def call(self, network: PeerNetwork, given: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """Return the images for ``inputs['seg']``, a map of floats, or every layer and logit."""
        if network.role == DISCRIMINATOR:
            return self.discriminate(network.module, given["image"], Condition(), inputs)
        semantics, latent = inputs["seg"], given.get("latent", torch.empty(0))
        image = network.module.synthesize(latent.view(len(semantics), -1), semantics)  # type: ignore[operator]
        return {self.image: image}

    def discriminate(
        self, module: nn.Module, image: Tensor, condition: Condition, inputs: Mapping[str, Tensor]
    ) -> State:
        """Return every layer and the logits of every scale for a map with an image behind it."""
        features = module.backbone.features(image)  # type: ignore[operator, union-attr]
        outputs = {f"feature.{name}": value for name, value in features.items()}
        for name, head in module.heads.items():  # type: ignore[operator, union-attr]
            outputs[f"{name}.logit"] = head(features, condition)["logit"]
        return outputs

    def recognise(self, keys: Iterable[str]) -> str | None:
        """Return the role; the names of the other layers alone may be anybody's."""
        keys = list(keys)
        own = any(key.startswith(("head_0.", "discriminator_0.")) for key in keys)
        return super().recognise(keys) if own else None


def _numbered(spec: Spec, outputs: State) -> State:
    """Return the discriminator's outputs as the peer lists them: scale / layer, the logits last."""
    settings = spec["constructor_settings"]
    layers = 0 if settings.get("no_ganFeat_loss") else settings.get("n_layers_D", 4)
    found = {}
    for scale in range(settings.get("num_D", 2)):
        for index in range(layers):
            found[f"{scale}/{index}"] = outputs[f"feature.{layer_name(scale, index)}"]
        found[f"{scale}/{layers}"] = outputs[f"patch_{scale}.logit"][:, None]
    return found


def _is(kind: str) -> Callable[[Spec], bool]:
    return lambda spec: str(spec.get("kind", "")) == kind


def _role_of(spec: Spec) -> str:
    return DISCRIMINATOR if _is("network/D")(spec) else GENERATOR


def _facts(config: Config) -> Mapping[str, Any]:
    # a convolution without a norm behind it is no list of layers
    return {"nested": config.get("backbone", {}).get("norm") != "none"}


#: The first word of file names, by which a network is asked for (``--which_epoch``).
EPOCHS = {"G_ema": "latest", "G": "trained", "D": "latest"}


def files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    """Return a file for every network; ``latest`` is the averaged generator, whose encoder lies apart."""
    found: dict[str, Any] = {}
    for name, exported in exports.items():
        encoder = {k: v for k, v in exported.state.items() if k.startswith(ENCODER_PREFIX)}
        rest = {k: v for k, v in exported.state.items() if k not in encoder}
        found[f"{EPOCHS[name]}_net_{name[0]}.pth"] = rest
        if encoder:
            bare = {key.removeprefix(ENCODER_PREFIX): value for key, value in encoder.items()}
            found[f"{EPOCHS[name]}_net_E.pth"] = bare
    return found


SPADE_FORMAT = register_peer(
    SPADEFormat(
        name="spade",
        peer="spade",
        accepts=lambda spec: str(spec.get("kind")) in ("network/G", "network/D"),
        role_of=_role_of,
        configs={GENERATOR: generator, DISCRIMINATOR: discriminator},
        tables={GENERATOR: GENERATOR_TABLE, DISCRIMINATOR: DISCRIMINATOR_TABLE},
        reading=Reading(
            spade.generator,
            spade.backbone,
            assumed_generator={"spectral_norm": {"eps": CLASSIC_SPECTRAL.eps}},
            assumed_backbone={"spectral_norm": {"eps": CLASSIC_SPECTRAL.eps}},
        ),
        writing=Writing(("SPADEGenerator", "PatchBackbone"), describe, files, HOOK, _facts),
        inputs={"z": "latent", "x": "image", "seg": "map"},
        present=lambda spec, outputs: _numbered(spec, outputs) if _is("network/D")(spec) else outputs,
    )
)
