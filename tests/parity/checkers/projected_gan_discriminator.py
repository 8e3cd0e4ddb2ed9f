"""Checkers: Projected GAN's whole discriminators, and the augmentation of what they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.augments import DiffAugment, Draws
from mmcgan.models.discriminator import Discriminator
from mmcgan.peers.projected_gan.discriminator import (
    DISCRIMINATOR_TABLE,
    FROZEN,
    KIND,
    PROJECTED_DISCRIMINATOR,
)
from mmcgan.peers.projected_gan.fastgan import PEER
from mmcgan.peers.translation.names import to_ours
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.projected_gan import EXACT, Run, compare_run
from tests.parity.checkers.projected_gan_scales import condition_of
from tests.parity.compare import Comparison
from tests.parity.runner import checker


def discriminator_config(spec: Mapping[str, Any], image_size: int) -> dict[str, Any]:
    """Return our discriminator of the peer's settings, around the golden set's stand-in network."""
    stub = {"type": "GoldenStub", "stub": dict(spec["stub"])}
    return PROJECTED_DISCRIMINATOR.read({**spec, "kind": KIND, "image_size": image_size, "extractor": stub})


def discriminator_keys(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return our keys of a whole discriminator, but its frozen network, by the peer's."""
    found = to_ours(DISCRIMINATOR_TABLE, [key for key in state if not key.startswith(FROZEN)])
    return {theirs: ours for theirs, ours in found.items() if ours is not None}


def load_discriminator(module: Discriminator, state: State, keys: Mapping[str, str]) -> None:
    """Load the peer's whole discriminator, the frozen network too."""
    converted = {ours: state[theirs] for theirs, ours in keys.items()}
    missing, extra = module.load_state_dict(converted, strict=False)
    if missing != ["backbone.frozen.fingerprint"] or extra:
        raise ValueError(f"weights do not fit: missing {missing}, left over {extra}")
    module.backbone.frozen.network.load_peer(state)  # type: ignore[union-attr, operator]


def peer_logits(outputs: Mapping[str, Tensor], number: int) -> Tensor:
    """Return the logits of all scales in one row, as the peer shows them."""
    return torch.cat([outputs[f"adv.logit_{scale}"].flatten(1) for scale in range(number)], dim=1)


class RecordedDraws(Draws):
    """The peer's draws of one call of its augmentation.

    Args:
        image: the images.
        recorded: tensors in the order of the peer's calls.
        policy: names of the changes, in order.
    """

    NAMES = {
        "brightness": ("brightness",),
        "saturation": ("saturation",),
        "contrast": ("contrast",),
        "translation": ("shift_rows", "shift_columns"),
        "cutout": ("hole_row", "hole_column"),
    }

    def __init__(self, image: Tensor, recorded: Sequence[Tensor], policy: Sequence[str]) -> None:
        super().__init__(torch.Generator(), image)
        names = [name for change in policy for name in self.NAMES[change]]
        self.recorded = dict(zip(names, recorded, strict=True))

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return the recorded numbers."""
        return self.recorded[name].reshape(self._rows, *shape).to(self._dtype)

    def integer(self, name: str, low: int, high: int) -> Tensor:
        """Return the recorded whole numbers."""
        drawn = self.recorded[name].flatten().to(torch.int64)
        assert int(drawn.min()) >= low and int(drawn.max()) <= high
        return drawn


def peer_augment() -> DiffAugment:
    """Return the peer's augmentation."""
    return DiffAugment(translation=0.125, cutout=0.2)


class Projected(nn.Module):
    """Augmentation with recorded draws, then the discriminator."""

    def __init__(self, discriminator: Discriminator, draws: Sequence[Tensor], number: int) -> None:
        super().__init__()
        self.discriminator, self.draws, self.number = discriminator, list(draws), number

    def forward(self, image: Tensor, condition: Condition) -> Tensor:
        """Return the logits in one row."""
        if self.draws:
            augment = peer_augment()
            image = augment.transform(image, RecordedDraws(image, self.draws, augment.policy))
        return peer_logits(self.discriminator(image, condition), self.number)


@checker((PEER, "projected_discriminator"))
def check_discriminator(case: GoldenCase, comparison: Comparison) -> None:
    """The whole discriminator: logits, state, gradients of the parameters and of the image."""
    given = case.spec["constructor_kwargs"]
    config = discriminator_config(case.spec, case.tensors["in/x"].shape[-1])
    discriminator = Discriminator(**config).to(torch.get_default_dtype())
    keys = discriminator_keys(case.state())
    drawn = case.group("in/draw/")
    number = given["backbone_kwargs"].get("num_discs", 4)
    module = Projected(discriminator, [drawn[key] for key in sorted(drawn)], number)
    load_discriminator(discriminator, case.state(), keys)
    counts = case.spec["param_count"]
    trainable = sum(p.numel() for p in discriminator.parameters() if p.requires_grad)
    backbone = discriminator.backbone
    frozen = sum(p.numel() for m in (backbone.frozen.network, backbone.mixing) for p in m.parameters())  # type: ignore[union-attr, attr-defined]
    for name, ours in (("trainable", trainable), ("frozen", frozen)):
        theirs = next(value for key, value in counts.items() if key.startswith(name))
        comparison.equal(f"{name} parameters", float(ours), float(theirs), EXACT)

    def call(inputs: Mapping[str, Tensor]) -> Tensor:
        return module(inputs["x"], condition_of(inputs.get("c")))

    held = {theirs: f"discriminator.{ours}" for theirs, ours in keys.items()}
    run = Run(module, held, call, ("x",))
    compare_run(case, comparison, run)


@checker((PEER, "diffaug"))
def check_augmentation(case: GoldenCase, comparison: Comparison) -> None:
    """Each policy with recorded draws, and the gradient of the image."""
    words = {"color": "colour"}
    for name, text in case.spec["policies"].items():
        policy = [words.get(word, word) for word in text.split(",")]
        augment = DiffAugment(policy, translation=0.125, cutout=0.2)
        image = case.tensors["in/x"].clone().requires_grad_()
        drawn = case.group(f"in/{name}/draw")
        output = augment.transform(
            image, RecordedDraws(image, [drawn[key] for key in sorted(drawn, key=int)], augment.policy)
        )
        comparison.equal(f"out/{name}", output, case.tensors[f"out/{name}"])
        (gradient,) = torch.autograd.grad((output * case.tensors["in/loss_weight"]).sum(), image)
        comparison.equal(f"out/{name}/grad_x", gradient, case.tensors[f"out/{name}/grad_x"])
