"""What StudioGAN's trainer draws beside labels and latents, drawn again from the recorded seed.

The golden cases tell labels, latents and the seed. The other draws follow each latent in the peer's order:
the latent's noise, LOGAN's choice, augmentation of real and fake images, their transforms for consistency,
and the points of a penalty. That every later latent comes out as recorded shows that nothing was missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from mmcgan.augments import DiffAugment, FlipAndShift
from mmcgan.augments.base import Augment
from mmcgan.random import RandomStreams
from mmcgan.regularizers import (
    ImageConsistency,
    LatentConsistency,
    LatentDiversity,
    LatentOptimization,
    StepContext,
)
from tests.parity.cases import GoldenCase
from tests.parity.checkers.augmentation import RecordedDraws
from tests.parity.checkers.regularizers import RecordedDraws as RecordedPoints
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported

Numbers = dict[str, Tensor]


class ReplayedAugment(Augment):
    """Gives an augmentation recorded draws, call after call.

    Args:
        inner: the augmentation.
    """

    def __init__(self, inner: Augment) -> None:
        super().__init__()
        self.inner = inner
        self.recorded: list[Numbers] = []

    def forward(self, image: Tensor, generator: Generator) -> Tensor:
        """Return the images as the next recorded draws change them."""
        return self.inner.transform(image, RecordedDraws(image, self.recorded.pop(0)))


class ReplayedLatentOptimization(LatentOptimization):
    """LOGAN with recorded choices; the peer makes one step, whatever its setting."""

    recorded: list[Tensor]

    def moves(self, latent: Tensor, random: RandomStreams) -> Tensor:
        """Return the next recorded choice (N, 1)."""
        return (self.recorded.pop(0) > 1 - self.share).to(latent)


class ReplayedLatentConsistency(LatentConsistency):
    """zCR of the discriminator with recorded noise."""

    recorded: list[Tensor]

    def forward(self, context: StepContext) -> Tensor:
        """Return the squared distances of the scores, summed."""
        condition = context.fake.condition
        image = context.generate(context.latent + self.noise * self.recorded.pop(0), condition)
        moved = context.score(image, condition)
        return torch.stack([F.mse_loss(context.fake_scores[name], moved[name]) for name in self.reads]).sum()


class ReplayedLatentDiversity(LatentDiversity):
    """zCR of the generator with recorded noise."""

    recorded: list[Tensor]

    def forward(self, context: StepContext) -> Tensor:
        """Return minus the squared distance of the images."""
        moved = context.latent + self.noise * self.recorded.pop(0)
        return -F.mse_loss(context.fake.image, context.generate(moved, context.fake.condition))


def read_augment(settings: Mapping[str, Any]) -> ReplayedAugment | None:
    """Return the augmentation of the peer's AUG settings.

    Raises:
        Unsupported: one whose draws are not mapped (ADA, APA, SimCLR, BYOL).
    """
    given = {
        k: v for k, v in settings.items() if v not in (False, None, "N/A", "W/O") and "aug_type" not in k
    }
    kind = given.pop("diffaug_type", "diffaug")
    applied = given.pop("apply_diffaug", False)
    if (
        given
        or kind != "diffaug"
        or any(settings.get(k, k[:-9]) != k[:-9] for k in ("cr_aug_type", "bcr_aug_type"))
    ):
        raise Unsupported(f"augmentation {dict(settings)}: its draws are not told")
    return ReplayedAugment(DiffAugment()) if applied else None


def draw_again(case: GoldenCase, replay: Replay) -> None:
    """Give every regulariser and augmentation what the peer drew for it.

    Raises:
        Unsupported: a latent does not come out as recorded.
    """
    queues = queues_of(case, replay)
    if not queues:
        return
    settings = case.spec["settings"]
    updates = settings["OPTIMIZATION"]["d_updates_per_step"] * settings["OPTIMIZATION"]["acml_steps"]
    per_step = updates + settings["OPTIMIZATION"]["acml_steps"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(case.spec["seed"]) + 5)
        for index, latent in enumerate(case.tensors["in/z"]):
            torch.randint(0, settings["num_classes"], (len(latent),))
            if not torch.equal(torch.randn(latent.shape), latent):
                raise Unsupported("draws beside labels and latents that are neither stored nor repeatable")
            role = "discriminator" if index % per_step < updates else "generator"
            for recorded, roles, draw in queues:
                recorded += [draw(latent) for _ in range(roles.get(role, 0))]


def queues_of(
    case: GoldenCase, replay: Replay
) -> list[tuple[list[Any], dict[str, int], Callable[[Tensor], Any]]]:
    """Return, in the peer's order: a list to fill, how many draws each player makes, and how."""
    size = int(case.tensors["in/real_images_uint8"].shape[-1])
    found: list[tuple[list[Any], dict[str, int], Callable[[Tensor], Any]]] = []
    items = replay.model.regularizers.values()
    for module in items:
        if isinstance(module, ImageConsistency):
            module.transform = ReplayedAugment(FlipAndShift())
    noises: list[Any] = [
        r for r in items if isinstance(r, ReplayedLatentConsistency | ReplayedLatentDiversity)
    ]
    noises += [r for r in items if isinstance(r, ReplayedLatentOptimization)]
    for each in noises:
        each.recorded = []
        choice = isinstance(each, ReplayedLatentOptimization)
        found.append((each.recorded, {each.on: 1}, _choice if choice else torch.randn_like))
    if isinstance(replay.model.augment, ReplayedAugment):
        queue = replay.model.augment.recorded
        found.append((queue, {"discriminator": 2, "generator": 1}, lambda z: _diffaug(z, size)))
    consistency: Any = replay.model.regularizers.get("consistency")
    if consistency is not None:
        times = int(bool(consistency.real)) + int(bool(consistency.fake))
        found.append((consistency.transform.recorded, {"discriminator": times}, lambda z: _flip(z, size)))
    penalty: Any = replay.model.regularizers.get("penalty")
    if isinstance(penalty, RecordedPoints):
        penalty.recorded = _Flat()
        around = case.spec["settings"]["LOSS"].get("apply_dra")
        shape = (3, size, size)
        found.append(
            (penalty.recorded, {"discriminator": 1}, lambda z: _points(z, shape if around else None))
        )
    return found


class _Flat(list[Any]):
    """A list to which sequences are added element by element."""

    def __iadd__(self, many: Any) -> _Flat:  # type: ignore[misc,override]
        self.extend(value for values in many for value in values)
        return self


def _choice(latent: Tensor) -> Tensor:
    return torch.rand(len(latent), 1)


def _points(latent: Tensor, noise: tuple[int, ...] | None) -> list[Tensor]:
    if noise is None:
        return [torch.rand(len(latent), 1)]
    return [torch.rand(len(latent), 1, 1, 1), torch.rand(len(latent), *noise)]


def _flip(latent: Tensor, size: int) -> Numbers:
    reach, count = int(size / 8), len(latent)
    flip = torch.rand(count, 1)
    rows, columns = (torch.randint(-reach, reach + 1, (count, 1, 1)) for _ in range(2))
    return {"flip": flip, "shift_rows": rows, "shift_columns": columns}


def _diffaug(latent: Tensor, size: int) -> Numbers:
    count, reach, hole = len(latent), int(size * 0.125 + 0.5), int(size * 0.5 + 0.5)
    drawn = {name: torch.rand(count, 1, 1, 1) for name in ("brightness", "saturation", "contrast")}
    for name in ("shift_rows", "shift_columns"):
        drawn[name] = torch.randint(-reach, reach + 1, (count, 1, 1))
    for name in ("hole_row", "hole_column"):
        drawn[name] = torch.randint(0, size + 1 - hole % 2, (count, 1, 1))
    return drawn
