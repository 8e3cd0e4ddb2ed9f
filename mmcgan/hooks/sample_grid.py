"""The same latents, drawn again and again, as a picture of progress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.engine.random_state import preserved_random_state
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.random import make_generator
from mmcgan.registry import HOOKS
from mmcgan.samplers.drawing import INSTANCE, draw_conditions, draw_latents
from mmcgan.samplers.latent import check_amount
from mmcgan.structures import Condition

MOST_COLUMNS = 1000  # of a picture that somebody looks at
PROBES = 64  # labels drawn to see whether there is more than one


@HOOKS.register_module()
class SampleGridHook(Hook):
    """Writes ``samples/iter_N.png``: a column per class, a row per latent, drawn by the average.

    For a model with attributes, a column per attribute of the first exclusive group, and rows that go
    through the combinations of the others; one latent for each such round.

    Latents and conditions depend on ``seed`` only, and are those of ``mmcgan sample`` by number: of rows
    where a column is a class, else of the images one by one. Pictures also go to the visualiser's backends.
    Rank 0 draws.

    Args:
        interval: iterations between pictures; one more at the end.
        rows: latents.
        columns: classes, from 0 on or evenly spaced if there are more; for a model trained
            without labels, or with one for all, further latents.
        labels: particular classes instead.
        seed: of latents and conditions.
        truncation: as in ``mmcgan sample``.

    Raises:
        ValueError: a count below 1, no labels or more than a thousand, or a truncation that is negative or
            not finite.
    """

    priority = "LOW"
    only_once = True
    changes_training = False

    def __init__(
        self,
        interval: int = 1000,
        rows: int = 8,
        columns: int = 10,
        labels: list[int] | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> None:
        for name, value in (("interval", interval), ("rows", rows), ("columns", columns)):
            if value < 1:
                raise ValueError(f"SampleGridHook {name} must be >= 1, got {value}")
        if labels is not None and not 1 <= len(labels) <= MOST_COLUMNS:
            raise ValueError(f"SampleGridHook labels must be 1 to {MOST_COLUMNS} classes, got {len(labels)}")
        check_amount(truncation)
        self.interval, self.rows, self.columns = interval, rows, columns
        self.labels, self.seed, self.truncation = labels, seed, truncation
        self.latest: Path | None = None

    def after_iteration(self, runner: Any) -> None:
        """Draw if due."""
        if runner.iter % self.interval == 0:
            self._write(runner)

    def after_train(self, runner: Any) -> None:
        """Draw the final picture, unless it is there already."""
        if runner.iter % self.interval:
            self._write(runner)

    def _write(self, runner: Any) -> None:
        if runner.rank != 0:
            return
        with preserved_random_state(runner.model):
            picture = contact_sheet(self.draw(runner.model), self._columns(runner.model))
        self.latest = Path(runner.work_dir) / "samples" / f"iter_{runner.iter:07d}.png"
        write_png(picture, self.latest)
        runner.visualizer.add_image("samples", picture, step=runner.iter)

    def draw(self, model: Any) -> Tensor:
        """Return the images (rows * columns, 3, H, W) in [-1, 1], row by row."""
        columns = self._columns(model)
        combinations = self._combinations(model)
        if combinations is not None:
            return self._draw_combinations(model, combinations)
        count = self.rows * columns
        condition = draw_conditions(model.condition_sampler, self.seed, range(count), INSTANCE)
        shown = self._shown(model)
        if shown:
            condition = replace(condition, label=torch.tensor(shown).repeat(self.rows))
        if shown:
            # one latent per row, so that a row shows what the class alone changes
            latent = self._latents(model, self.rows).repeat_interleave(columns, 0)
        else:
            latent = self._latents(model, count)
        images = [
            self._images(model, condition[i : i + columns], latent[i : i + columns])
            for i in range(0, count, columns)
        ]
        return torch.cat(images).cpu()

    def _latents(self, model: Any, count: int) -> Tensor:
        """Return the first latents of the seed, as ``mmcgan sample`` draws them, (count, D)."""
        threshold = self.truncation if model.generator.truncates_latent else None
        return draw_latents(model.latent_sampler, self.seed, range(count), threshold)

    def _images(self, model: Any, condition: Condition, latent: Tensor) -> Tensor:
        images: Tensor = model.sample(condition, latent, truncation=self.truncation, narrowed=True)
        return images

    def _combinations(self, model: Any) -> Tensor | None:
        """Return the attributes to show, (K, A) with the columns' group fastest; None without attributes."""
        groups = _groups(model)
        if groups is None:
            return None
        size, columns = len(groups.exclusive[0].names), self._columns(model)
        rows = min(self.rows, groups.num_combinations // size)
        return torch.stack([groups.combination(r * size + c) for r in range(rows) for c in range(columns)])

    def _draw_combinations(self, model: Any, combinations: Tensor) -> Tensor:
        columns = self._columns(model)
        rounds = max(1, self.rows * columns // len(combinations))
        condition = Condition(attributes=combinations)
        latents = self._latents(model, rounds).split(1)
        repeated = [latent.expand(len(combinations), -1) for latent in latents]
        return torch.cat([self._images(model, condition, latent) for latent in repeated]).cpu()

    def _shown(self, model: Any) -> list[int]:
        """Return the classes of the columns; empty if training asks for no label or always the same."""
        if self.labels:
            return list(self.labels)
        classes = model.generator.num_classes
        if not classes:
            return []
        asked = model.condition_sampler.sample(PROBES, make_generator(self.seed, "grid probe")).label
        if asked is None or len(asked.unique()) == 1:
            return []
        spaced = np.linspace(0, classes - 1, min(self.columns, classes)).round().astype(int)
        return [int(label) for label in spaced]

    def _columns(self, model: Any) -> int:
        groups = _groups(model)
        if groups is not None:
            return min(self.columns, len(groups.exclusive[0].names))
        return len(self._shown(model)) or self.columns


def _groups(model: Any) -> AttributeGroups | None:
    """Return the attributes that ``model`` is asked for, None if there is no exclusive group among them."""
    groups: AttributeGroups | None = model.condition_sampler.groups
    return groups if groups is not None and groups.exclusive else None
