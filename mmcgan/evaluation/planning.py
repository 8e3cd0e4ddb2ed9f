"""Which metrics can be computed, decided before anything is extracted; and what became of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import torch
from mmengine.dist import all_reduce
from mmengine.logging import print_log

from mmcgan.contracts import declared
from mmcgan.evaluation.metrics.base import GenerationMetric


def _repeats(metric: GenerationMetric, generated: int | None, distinct: int | None) -> str | None:
    """Return why images that are made again and again give a metric no figure, None if they do."""
    if distinct is None or generated is None or not declared(metric, "needs_distinct"):
        return None
    if distinct >= generated:
        return None
    return (
        f"{generated:,} images are asked for by {distinct:,} different requests (no latent), and images that "
        f"are the same are each other's nearest; ask for at most {distinct:,} (--num)"
    )


class Outcomes:
    """Why some of the metrics of an evaluation have no figure.

    One metric's failure never costs the others: it is logged, and its row of the report says why.

    Args:
        metrics: all of them.
        unfit: why some are left out in every evaluation, by place.
    """

    def __init__(self, metrics: Sequence[GenerationMetric], unfit: Mapping[int, Exception]) -> None:
        self.metrics = metrics
        self.errors: dict[int, Exception] = dict(unfit)
        self.planned = False

    def prepare(self, work: Callable[[GenerationMetric], None], lenient: bool) -> None:
        """Let every metric look at what there is before any image is made.

        Args:
            work: what a metric is told.
            lenient: a metric that refuses is left out; False raises.

        Raises:
            ValueError: a metric refuses; with ``lenient``, all do.
        """
        for place, metric in enumerate(self.metrics):
            if place in self.errors:
                continue
            try:
                work(metric)
            except ValueError as error:
                if not lenient:
                    raise
                self.fail(place, error)
        self.require_one()

    def plan(self, generated: int | None, real: int | None, distinct: int | None = None) -> None:
        """Leave out what so few images, or the same ones again and again, do not allow.

        Args:
            generated: images there will be; None if that is not known.
            real: images of the reference; None without one.
            distinct: how many of the generated ones can differ; None if all.

        Raises:
            ValueError: nothing is left; says why for each.
        """
        self.planned = True
        for place, metric in enumerate(self.metrics):
            if place in self.errors:
                continue
            reason = metric.shortage(generated, real) or _repeats(metric, generated, distinct)
            if reason is not None:
                self.fail(place, ValueError(f"{type(metric).__name__}: {reason}"))
        if len(self.errors) == len(self.metrics):
            raise ValueError("; ".join(map(str, self.errors.values())))

    def fail(self, place: int, error: Exception) -> None:
        """Note that a metric failed and say so."""
        self.errors[place] = error
        print_log(
            f"{type(self.metrics[place]).__name__} is left out: {error}",
            logger="current",
            level=logging.WARNING,
        )

    def attempt(self, place: int, work: Callable[[], None]) -> None:
        """Do a metric's work, unless it has failed before."""
        if place in self.errors:
            return
        try:
            work()
        except Exception as error:  # whatever a metric raises, the others go on
            self.fail(place, error)

    def agree(self) -> None:
        """Let a metric that failed on one rank count as failed on all; collective."""
        failed = torch.tensor([float(place in self.errors) for place in range(len(self.metrics))])
        all_reduce(failed, "max")
        for place in failed.nonzero().flatten().tolist():
            if place not in self.errors:
                self.fail(place, RuntimeError("it failed on another rank"))

    def require_one(self) -> None:
        """Raise what the only metric raised, or the first, if none has a figure."""
        if len(self.errors) == len(self.metrics):
            raise self.errors[min(self.errors)]

    def describe(self, place: int) -> dict[str, str]:
        """Return ``error`` of a metric's row, nothing if it has figures."""
        error = self.errors.get(place)
        return {} if error is None else {"error": str(error) or type(error).__name__}
