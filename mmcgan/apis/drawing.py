"""What all ways of asking a trained generator for images share: latents by number, plans, rendering."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

import torch
from torch import Tensor

from mmcgan.apis.views import View
from mmcgan.progress import progress_bar
from mmcgan.samplers.drawing import INSTANCE, draw_conditions, draw_latents
from mmcgan.samplers.latent import check_amount, check_truncation
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel

BATCH = 64
T = TypeVar("T")


@dataclass(frozen=True)
class Draw:
    """A generator, a seed and a truncation: everything that decides the image of a number and a condition.

    Attributes:
        loaded: the model.
        seed: of latents and drawn conditions.
        truncation: what the law of the latents, or the generator, makes of it; None for none. Of normal
            latents, values outside [-truncation, truncation] are redrawn (BigGAN, Sec. 3.1); for StyleGAN2 it
            is psi, the share of a style's distance from the mean style that is kept.
        codes: chosen values of the latents' codes by name, see
            :meth:`~mmcgan.samplers.codes.CodedLatent.with_codes`; None for codes as they are drawn.
        given: fields of the condition by name, each (K, ...), that images take in turn by their numbers.
    """

    loaded: LoadedModel
    seed: int = 0
    truncation: float | None = None
    codes: Mapping[str, Sequence[float | None]] | None = None
    given: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def threshold(self) -> float | None:
        """The truncation of the latents; None if there is none, or if the generator is told instead."""
        return self.truncation if self.loaded.model.generator.truncates_latent else None

    def check(self) -> None:
        """Raise ValueError if the latents cannot be truncated like this, or have no such codes."""
        check_amount(self.truncation)
        law = self.loaded.model.latent_sampler
        if self.codes is not None:
            law.with_codes(torch.zeros(0, law.latent_dim), self.codes)
        if self.threshold is not None:
            check_truncation(self.loaded.model.latent_sampler, self.threshold)

    def completed(self, condition: Condition, numbers: Sequence[int]) -> Condition:
        """Return ``condition`` with the fields given, and those it lacks drawn as in training.

        Args:
            condition: of the images, one row each.
            numbers: of the images.

        Raises:
            ValueError: a field that the generator requires is neither given nor drawn.
        """
        turn = torch.tensor(list(numbers))
        found = {**condition.present(), **{k: rows[turn % len(rows)] for k, rows in self.given.items()}}
        lacking = [name for name in self.loaded.requires if name not in found]
        if lacking:
            drawn = draw_conditions(self.loaded.condition_sampler, self.seed, numbers, INSTANCE).present()
            for name in lacking:
                if name not in drawn:
                    raise ValueError(
                        f"{self.loaded.name}: its sampler draws no {name}; give --condition {name}="
                    )
            found |= {name: drawn[name] for name in lacking}
        return Condition.of(found)

    def latents(self, numbers: Iterable[int]) -> Tensor:
        """Return the latents (N, D) of images by number."""
        law = self.loaded.model.latent_sampler
        drawn = draw_latents(law, self.seed, numbers, self.threshold)
        return drawn if self.codes is None else law.with_codes(drawn, self.codes)

    def images(self, condition: Condition, latent: Tensor, view: View | None = None) -> Tensor:
        """Return images (N, 3, H, W) in [-1, 1], on the CPU, of latents (N, D) drawn here.

        Raises:
            ValueError: images that are NaN or infinite, which no picture can show.
        """
        size, window = (None, None) if view is None else (view.size, view.window)
        made = self.loaded.model.sample(
            condition, latent, truncation=self.truncation, narrowed=True, size=size, window=window
        )
        bad = int((~made.flatten(1).isfinite().all(1)).sum())
        if bad:
            raise ValueError(
                f"{bad} of {len(made)} images of {self.loaded.name} are NaN or infinite: its weights are "
                "faulty, or the latents far from those of training"
            )
        return made.cpu()


@dataclass(frozen=True)
class Plan:
    """Images to make, each known by its row; nothing is drawn before it is needed.

    Attributes:
        size: number of images.
        columns: of a sheet of all.
        batch: rows -> their conditions and latents (n, D).
        name: row -> file name without suffix; of a drawn label, once its batch was drawn.
        label: row -> its label; None for a model without.
        text: row -> its attributes; None for a model without.
    """

    size: int
    columns: int
    batch: Callable[[range], tuple[Condition, Tensor]]
    name: Callable[[int], str]
    label: Callable[[int], int] | None = None
    text: Callable[[int], str] | None = None

    def conditions(self, rows: Iterable[int]) -> Condition:
        """Return the conditions of single rows."""
        return Condition.cat([self.batch(range(row, row + 1))[0] for row in rows])


class Rows(Sequence[T], Generic[T]):
    """A sequence whose elements are made when they are looked at: of a million images as well."""

    def __init__(self, size: int, row: Callable[[int], T]) -> None:
        self._range, self._row = range(size), row

    def __len__(self) -> int:
        return len(self._range)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        chosen = self._range[index]
        return self._row(chosen) if isinstance(chosen, int) else [self._row(row) for row in chosen]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return f"<{len(self)}: {', '.join(map(repr, self[:3]))}{', ...' if len(self) > 3 else ''}>"


def render(
    draw: Draw, plan: Plan, view: View | None = None, batch_size: int | None = None
) -> Iterator[Tensor]:
    """Yield the images (n, 3, H, W) of a plan in order, as many at a time as memory is good for.

    Args:
        draw: the generator and its truncation.
        plan: what to make.
        view: size and part of the images; None for the generator's own.
        batch_size: images at a time, at most; ``BATCH`` by default.
    """
    step = batch_size or BATCH
    step = step if view is None else min(step, view.batch)
    with progress_bar("Sampling", math.ceil(plan.size / step)) as advance:
        for start in range(0, plan.size, step):
            rows = range(start, min(start + step, plan.size))
            condition, latent = plan.batch(rows)
            yield draw.images(draw.completed(condition, rows), latent, view)
            advance()


def all_images(draw: Draw, plan: Plan, view: View | None = None, batch_size: int | None = None) -> Tensor:
    """Return the images (N, 3, H, W) of a plan."""
    return torch.cat(list(render(draw, plan, view, batch_size)))
