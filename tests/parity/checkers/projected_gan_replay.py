"""Projected GAN's objective on the networks of a golden case, with the peer's draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mmcgan.augments.base import Augment, Draws
from mmcgan.peers import DISCRIMINATOR, GENERATOR, PeerFormat, peer_format
from mmcgan.peers.projected_gan.fastgan import PEER, SIZES
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.projected_gan_discriminator import (
    RecordedDraws,
    discriminator_config,
    discriminator_keys,
    peer_augment,
)
from tests.parity.checkers.projected_gan_scales import GoldenStub, condition_of
from tests.parity.replay import Replay

LETTERS = {"G": GENERATOR, "D": DISCRIMINATOR}


class RecordedAugment(Augment):
    """The peer's augmentation with the draws of its calls, in order; none of them changes nothing."""

    def __init__(self, calls: Sequence[Sequence[Tensor]]) -> None:
        super().__init__()
        self.calls, self.augment = list(calls), peer_augment()

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images of the next call."""
        if not self.calls:
            return image
        recorded = RecordedDraws(image, self.calls.pop(0), self.augment.policy)
        return self.augment.transform(image, recorded)


@dataclass(frozen=True)
class DiscriminatorFormat(PeerFormat):
    """The peer's discriminator around the golden set's stand-in, which is stored whole there.

    Attributes:
        names: our key for every key of the peer but those of the frozen network.
    """

    names: Mapping[str, str] = field(default_factory=dict)

    def key_map(self, keys: Any, role: str) -> dict[str, str]:
        """Return our key for those of ``keys`` that we keep."""
        return {key: self.names[key] for key in keys if key in self.names}

    def convert_state(self, state: Mapping[str, Tensor], role: str) -> State:
        """Return our state dict, with the hash of an empty stand-in."""
        found = {ours: state[k] for k, ours in self.key_map(state, role).items()}
        return found | {"backbone.frozen.fingerprint": self.fingerprint}

    @property
    def fingerprint(self) -> Tensor:
        """Return the hash of the stand-in before the peer's weights are loaded."""
        stub = self.configs[DISCRIMINATOR]({})["backbone"]["extractor"]["stub"]
        return torch.tensor(list(bytes.fromhex(GoldenStub(stub).weights_hash)), dtype=torch.uint8)


class ProjectedReplay(Replay):
    """A run whose discriminator looks through the golden set's stand-in."""

    def find_formats(self) -> dict[str, PeerFormat]:
        """Return the formats of both."""
        config = self.specs[DISCRIMINATOR]["config"]
        form = DiscriminatorFormat(
            name="golden",
            peer=PEER,
            accepts=lambda spec: True,
            role_of=lambda spec: DISCRIMINATOR,
            configs={DISCRIMINATOR: lambda spec: config},
            tables={},
            names=discriminator_keys(self.states[DISCRIMINATOR]),
        )
        return {GENERATOR: peer_format(PEER, self.specs[GENERATOR]), DISCRIMINATOR: form}

    def __post_init__(self) -> None:
        super().__post_init__()
        frozen: Any = self.model.discriminator.backbone.frozen
        frozen.network.load_peer(self.states[DISCRIMINATOR])


def build(
    case: GoldenCase, latents: Sequence[Tensor], labels: Sequence[Tensor], augment: Augment, rounds: int
) -> Replay:
    """Return the peer's objective on the case's networks; gradients of rounds add up there."""
    given = case.spec["constructor_kwargs"]
    size = given["G"]["img_resolution"]
    config = discriminator_config({**case.spec, "constructor_kwargs": given["D"]}, size)
    adam = {"type": "Adam", "lr": 2e-4, "betas": (0.0, 0.99), "eps": 1e-8}
    # a left-over of lazy regularisation: the peer's discriminator learns at 16/17 of the rate
    late = 16 / 17
    return ProjectedReplay(
        peer=PEER,
        specs={GENERATOR: {"constructor_kwargs": given["G"]}, DISCRIMINATOR: {"config": config}},
        states={role: used_state(case.state(f"state/{letter}/"), size) for letter, role in LETTERS.items()},
        losses={"adversarial": {"type": "HingeLoss", "weights": float(rounds)}},
        optimizers={
            GENERATOR: adam,
            DISCRIMINATOR: {**adam, "lr": 2e-4 * late, "betas": (0.0, 0.99**late)},
        },
        step={
            "split_d": True,
            "real_first": False,
            "generator_first": True,
            "d_accumulation": rounds,
            "g_accumulation": rounds,
        },
        latents=latents,
        labels=labels,
        augment=augment,
    )


def used_state(state: State, size: int) -> State:
    """Return a state without the blocks above the images' size, which every generator of the peer has."""
    above = [f"synthesis.{kind}_{other}." for kind in ("feat", "se") for other in SIZES if other > size]
    return {key: value for key, value in state.items() if not key.startswith(tuple(above))}


def real_images(recorded: Tensor) -> Tensor:
    """Return the images of which every pixel is stored for 8 x 8."""
    image = recorded.repeat_interleave(8, -1).repeat_interleave(8, -2)
    if recorded.dtype == torch.uint8:
        return image.to(torch.get_default_dtype()) / 127.5 - 1
    return image


def draws_of(case: GoldenCase, place: str) -> list[list[Tensor]]:
    """Return the draws of a phase's augmentation calls, seven for each."""
    recorded = case.group(f"in/{place}/draw/")
    flat = [recorded[key] for key in sorted(recorded)]
    return [flat[start : start + 7] for start in range(0, len(flat), 7)]


def labels_of(rows: Tensor) -> list[Tensor]:
    """Return the labels of one-hot rows; none of no columns."""
    label = condition_of(rows).label
    return [] if label is None else [label]
