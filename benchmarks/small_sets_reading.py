"""What is read off a training of ``small_sets.py``, at counts of images and at CPU seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from safetensors.torch import load, save
from small_sets_data import HELD_OUT, ImageSet
from torch import Tensor

from mmcgan.checkpoints.atomic import write_file
from mmcgan.engine.random_state import preserved_random_state
from mmcgan.evaluation.metrics.kid import kernel_distance
from mmcgan.evaluation.metrics.precision_recall import improved_precision_recall
from mmcgan.evaluation.statistics.frechet import StreamingMoments, frechet_distance
from mmcgan.extractors.base import quantize
from mmcgan.neighbours.nearest import nearest_neighbours
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.random import make_generator
from mmcgan.registry import DATASETS, EXTRACTORS, HOOKS
from mmcgan.samplers.drawing import INSTANCE, draw_conditions, draw_latents

BATCH = 100
SPENT, CURVE = "small_sets_seconds", "small_sets_curve"
FIRST_IMAGES, FIRST_SECONDS = 5_000, 22.5
GRID_IMAGES, GRID_COLUMNS = 80, 10


class Judge:
    """Real images through the extractor that evaluates, which no discriminator looks through.

    Distances to training and to held-out images are taken among equally many of both: a generator that copies
    nothing is as often nearer to one as to the other.
    """

    def __init__(self, chosen: ImageSet, state: Path) -> None:
        self.samples = chosen.samples
        self.network: Any = EXTRACTORS.build(chosen.judge(state))
        kept = state / "judges"
        shared = chosen.name if chosen.share is None else "fashion"
        features = self._features(kept / f"{shared}_population", chosen, state, "population", None)
        moments = StreamingMoments()
        moments.update(features)
        self.population = moments.compute()
        self.real = features[_some(len(features), min(len(features), chosen.samples), "recall")]
        parts = ("train", "held_out")
        count = min(HELD_OUT, *(len(DATASETS.build(chosen.dataset(state, part))) for part in parts))
        self.pair = [
            self._features(kept / f"{chosen.name}_{part}", chosen, state, part, count) for part in parts
        ]

    def _features(self, file: Path, chosen: ImageSet, state: Path, part: str, count: int | None) -> Tensor:
        """Return features of a part of the real images, computed once for each state of the extractor."""
        path = file.with_name(f"{file.name}_{self.network.weights_hash[:12]}.safetensors")
        if not path.is_file():
            images: Any = DATASETS.build(chosen.dataset(state, part))
            rows = range(len(images)) if count is None else _some(len(images), count, "neighbours").tolist()
            write_file(path, save({"features": self._of_set(images, rows)}))
        return load(path.read_bytes())["features"]

    @torch.no_grad()
    def _of_set(self, images: Any, rows: Any) -> Tensor:
        found = [
            self.network(images.__getitems__(list(rows[start : start + BATCH]))["image"]).features
            for start in range(0, len(rows), BATCH)
        ]
        return torch.cat(found)

    def figures(self, images: Callable[[list[int]], Tensor]) -> dict[str, float]:
        """Return the figures of images by number, float (N, 3, H, W) in [-1, 1]."""
        rows = range(self.samples)
        fake = torch.cat(
            [
                self.network(quantize(images(list(rows[start : start + BATCH])))).features
                for start in range(0, self.samples, BATCH)
            ]
        )
        moments = StreamingMoments()
        moments.update(fake)
        own = moments.compute()
        precision, recall = improved_precision_recall(self.real, fake)
        distances = [nearest_neighbours(fake, bank, 1)[0][:, 0] for bank in self.pair]
        return {
            "fid": frechet_distance(
                self.population.mean, self.population.covariance, own.mean, own.covariance
            ),
            "kid": kernel_distance(self.real, fake),
            "precision": precision,
            "recall": recall,
            "nearer_training": float((distances[0] < distances[1]).double().mean()),
            "nearest_ratio": float(distances[0].median() / distances[1].median()),
        }


def _some(count: int, wanted: int, what: str) -> Tensor:
    return torch.randperm(count, generator=make_generator(0, "small sets", what))[:wanted]


@dataclass
class _Clock:
    """CPU seconds of this process that count."""

    spent: float = 0.0
    begun: float = 0.0

    def start(self) -> None:
        self.begun = time.process_time()

    def stop(self) -> float:
        """Add what has passed; return the sum."""
        now = time.process_time()
        self.spent, self.begun = self.spent + now - self.begun, now
        return self.spent


@HOOKS.register_module()
class SmallSetReadings(Hook):
    """Evaluates at 5,000, 10,000, 20,000 ... images and at 22.5, 45, 90 ... CPU seconds; ends at a budget.

    What evaluations take does not count. The curve and the seconds are in the checkpoint, so that a training
    that was interrupted, or gets a larger budget, goes on where it was.

    Args:
        seconds: CPU seconds of training.
        judge: the real images.
        grid: picture to write at the end.
    """

    priority = "NORMAL"
    changes_training = False

    def __init__(self, seconds: float, judge: Judge, grid: Path) -> None:
        self.seconds, self.judge, self.grid = seconds, judge, grid
        self.clock = _Clock()
        self.curve: list[dict[str, float]] = []

    def before_train(self, runner: Any) -> None:
        """Take up what an earlier part of the training has noted."""
        known = runner.message_hub.runtime_info
        self.clock.spent = float(known.get(SPENT, 0.0))
        self.curve = list(known.get(CURVE, []))
        self.clock.start()
        if self.clock.spent >= self.seconds:
            runner.train_loop.stop_training = True

    def after_iteration(self, runner: Any) -> None:
        """Evaluate if it is time to, and stop at the budget."""
        spent, images = self.clock.stop(), runner.train_loop.images_seen
        last = self.curve[-1] if self.curve else {"seconds": 0.0, "images": 0}
        over = spent >= self.seconds
        due = [
            _passed(FIRST_SECONDS, last["seconds"], spent),
            _passed(FIRST_IMAGES, last["images"], images),
        ]
        if over or any(due):
            self._read(runner, spent, images)
        if over:
            self._draw(runner.model)
            runner.train_loop.stop_training = True
        runner.message_hub.update_info(SPENT, spent)
        runner.message_hub.update_info(CURVE, self.curve)
        self.clock.start()

    def _read(self, runner: Any, spent: float, images: int) -> None:
        with preserved_random_state(runner.model):
            figures = self.judge.figures(lambda rows: _sample(runner.model, rows))
        reading = {
            "images": images,
            "seconds": round(spent, 2),
            **{k: round(v, 5) for k, v in figures.items()},
        }
        self.curve = [*self.curve, reading]
        runner.logger.info(f"reading: {reading}")

    def _draw(self, model: Any) -> None:
        with preserved_random_state(model):
            images = _sample(model, list(range(GRID_IMAGES)))
        write_png(contact_sheet(images, GRID_COLUMNS), self.grid)


def _passed(first: float, before: float, now: float) -> bool:
    """Return whether one of ``first``, twice, four times ... of it lies behind ``before`` and not ``now``."""
    mark = first
    while mark <= before:
        mark *= 2
    return now >= mark


def _sample(model: Any, rows: list[int]) -> Tensor:
    """Return images by number: the same latents, and conditions of one law, whoever is asked."""
    condition = draw_conditions(model.condition_sampler, 0, rows, INSTANCE)
    image: Tensor = model.sample(condition, draw_latents(model.latent_sampler, 0, rows))
    return image
