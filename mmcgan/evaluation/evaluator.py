"""Feeds every metric from one extractor pass over the generated images."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from torch import Tensor

from mmcgan.evaluation.meter import Cost
from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.overlap import BackgroundWorker
from mmcgan.evaluation.planning import Outcomes
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, check_finite, quantize
from mmcgan.memory import check_order
from mmcgan.registry import EVALUATOR, EXTRACTORS, GENERATION_METRICS
from mmcgan.returned import check_figures
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest

REFERENCE_KEYS = ("dataset", "path", "batch_size", "keep")


@EVALUATOR.register_module()
class GenerationEvaluator(Evaluator):
    """Generated images -> uint8 -> one extractor pass -> all metrics; works in MMEngine's stock loops.

    Args:
        metrics: configs of generation metrics.
        extractor: config of the extractor they share, or the extractor itself.
        reference: ``dict(dataset=..., path=None, batch_size=256)``, the real images to compare with (a
            config or a data set); see :class:`~mmcgan.evaluation.statistics.reference.Reference`.
        prefix: put in front of every figure's name, with a slash; to tell two extractors apart.
        overlap: extract and update metrics in a thread while the next images are generated; a fault of
            a batch is then reported with the next one, or at the end.
        leave_out_impossible: a metric that needs what the extractor, the reference or the conditions do not
            offer is left out, and its row of the report says why, instead of stopping.

    Raises:
        ValueError: no metrics, an unknown key of ``reference``, a metric that needs what the extractor or
            the config does not offer, or a file of reference statistics that was made with something else.
        FileNotFoundError: weights of the extractor are missing.
    """

    def __init__(
        self,
        metrics: Sequence[dict[str, Any]] | dict[str, Any],
        extractor: dict[str, Any] | Extractor,
        reference: dict[str, Any] | None = None,
        prefix: str | None = None,
        overlap: bool = True,
        leave_out_impossible: bool = False,
    ) -> None:
        configs = [metrics] if isinstance(metrics, dict) else list(metrics)
        if not configs:
            raise ValueError("GenerationEvaluator: metrics is empty; give at least dict(type='FID')")
        self._dataset_meta: dict[str, Any] | None = None
        self.prefix = prefix
        self.extractor: Extractor = (
            extractor if isinstance(extractor, Extractor) else EXTRACTORS.build(extractor)
        )
        self.reference = _build_reference(reference, self.extractor)
        self.metrics: list[GenerationMetric] = [GENERATION_METRICS.build(config) for config in configs]
        self.leave_out_impossible = leave_out_impossible
        outcomes = Outcomes(self.metrics, {})
        outcomes.prepare(self._prepare, leave_out_impossible)
        self._unprepared = outcomes.errors
        self._unfit = dict(self._unprepared)
        if self.reference is not None:
            self.reference.verify()
        self._worker = BackgroundWorker(self._absorb) if overlap else None
        self._report: dict[str, Any] = {}
        self._restart()

    def _prepare(self, metric: GenerationMetric) -> None:
        metric.prepare(self.extractor, self.reference)
        metric.reset()

    def _restart(self) -> None:
        self._count = 0
        self._outcomes = Outcomes(self.metrics, self._unfit)
        self._costs = [Cost() for _ in self.metrics]
        self._extraction = Cost()
        self._figures_of: dict[int, dict[str, float]] = {}

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """What was asked for: the ``metainfo`` of the evaluation conditions."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any] | None) -> None:
        """Check that images are asked for by label, or attributes, if a metric needs these, and are enough.

        Raises:
            ValueError: a metric needs labels or attributes and the conditions have none, or there are more
                images than memory for their order.
        """
        size, width = (dataset_meta or {}).get("size"), self.extractor.feature_dim
        if size is not None:
            check_order(size, "size of the evaluation conditions")
        self._dataset_meta = dataset_meta
        outcomes = Outcomes(self.metrics, self._unprepared)
        outcomes.prepare(partial(_expect, conditions=dataset_meta), self.leave_out_impossible)
        self._unfit = dict(outcomes.errors)
        self._outcomes = outcomes
        if self.reference is not None and self.reference.is_open:
            self._plan()
        if self.reference is not None and size is not None and size <= width:
            print_log(
                f"{size} generated images and {width} features of {self.extractor.name}: Fréchet distances "
                "will be biased upwards, because their covariance is not of full rank; compare figures of "
                f"equally many images only, and generate more than {width}",
                logger="current",
                level=logging.WARNING,
            )

    @torch.no_grad()
    def process(self, data_samples: Sequence[Mapping[str, Any]], data_batch: Any = None) -> None:
        """Pass generated images on to all metrics.

        Args:
            data_samples: what ``val_step`` returned: ``dict(image=(N, 3, H, W) float in [-1, 1] or
                uint8, condition=Condition)``.
            data_batch: unused; part of MMEngine's interface.

        Raises:
            ValueError: a sample is not such a dict, or an image contains NaN.
        """
        if not self._outcomes.planned:
            self._plan()
        for sample in data_samples:
            image, condition = _unpack(sample)
            pixels = image if image.dtype == torch.uint8 else quantize(image)
            if not self._count:
                self._compare_sizes(pixels)
            self._count += len(image)
            if self._worker is None:
                self._absorb((pixels, condition))
            else:
                self._worker.submit((pixels, condition))

    def _compare_sizes(self, pixels: Tensor) -> None:
        """Warn where generated and real images have another size; whoever states it has compared them."""
        if self.reference is None or not self.reference.is_open or "image_size" in (self._dataset_meta or {}):
            return
        real = self.reference.dataset.metainfo.get("image_size")
        sides = tuple(pixels.shape[2:])
        if isinstance(real, int) and real and sides != (real, real):
            print_log(
                f"generated images have {sides[0]} x {sides[1]} pixels, real ones {real} x {real}: what "
                "resizing does to them is part of every figure; compare images of one size",
                logger="current",
                level=logging.WARNING,
            )

    @torch.no_grad()
    def _absorb(self, batch: tuple[Tensor, Condition]) -> None:
        """Extract a batch once and hand the outputs to every metric."""
        pixels, condition = batch
        self.extractor.to(pixels.device)
        with self._extraction.time():
            output = self.extractor(pixels)
            check_finite(output, self.extractor.name)
        for place, (metric, cost) in enumerate(zip(self.metrics, self._costs, strict=True)):
            with cost.time():
                self._outcomes.attempt(place, partial(metric.update, output, condition))
        self._outcomes.require_one()

    def evaluate(self, size: int) -> dict[str, float]:
        """Merge the ranks, return all figures by name and start afresh.

        A metric that fails has no figure; it is logged, and its row of the report has the ``error``.

        Args:
            size: number of images that were asked for over all ranks.

        Raises:
            ValueError: another number was generated.
            Exception: what the metrics raised, if all of them failed.
        """
        if self._worker is not None:
            self._worker.finish()
        self._count = _total(self._count)
        if self._count != size:
            raise ValueError(
                f"{self._count} images were generated, {size} were asked for; in a distributed run set "
                "sampler=dict(type='DefaultSampler', shuffle=False, round_up=False) in the evaluation's "
                "dataloader, or images are counted twice"
            )
        figures: dict[str, float] = {}
        self._outcomes.agree()
        for place, cost in enumerate(self._costs):
            with cost.measure():
                self._outcomes.attempt(place, partial(self._compute, place, figures))
        try:
            self._outcomes.require_one()
            self._report = self._make_report(figures)
        finally:
            for metric in self.metrics:
                metric.reset()
            self._restart()
        return figures

    def _compute(self, place: int, figures: dict[str, float]) -> None:
        """Add a metric's figures, all or none."""
        metric = self.metrics[place]
        metric.merge()
        computed = metric.compute()
        check_figures(metric, "compute", computed)
        found = {f"{self.prefix}/{name}" if self.prefix else name: value for name, value in computed.items()}
        for key, value in found.items():
            if not math.isfinite(value):
                raise ValueError(f"{type(metric).__name__}: {key} is {value}, no finite number")
            if key in figures:
                raise ValueError(
                    f"another metric returns {key!r} too; give one evaluator each, with a prefix, or the "
                    "metric another name"
                )
        figures |= found
        self._figures_of[place] = found

    def _plan(self) -> None:
        """Leave out, before anything is extracted, what the numbers of images do not allow.

        Raises:
            ValueError: no metric is left.
        """
        needing = any(metric.needs_reference for metric in self.metrics)
        real = len(self.reference.dataset) if self.reference is not None and needing else None
        asked = self._dataset_meta or {}
        self._outcomes.plan(asked.get("size"), real, asked.get("distinct"))

    def _make_report(self, figures: dict[str, float]) -> dict[str, Any]:
        metrics = [
            {
                "type": type(metric).__name__,
                "settings": metric.settings(),
                "cost": cost.describe(),
                "figures": self._figures_of.get(place, {}),
                **(self._outcomes.describe(place) or metric.details()),
            }
            for place, (metric, cost) in enumerate(zip(self.metrics, self._costs, strict=True))
        ]
        return {
            "figures": figures,
            "generated_images": self._count,
            "conditions": self._dataset_meta,
            "extractor": {**self.extractor.describe(), "seconds": round(self._extraction.seconds, 3)},
            "reference": None if self.reference is None else self.reference.describe(),
            "metrics": metrics,
        }

    def report(self) -> dict[str, Any]:
        """Return the last figures with everything they were computed with, as JSON types.

        Raises:
            RuntimeError: nothing was evaluated yet.
        """
        if not self._report:
            raise RuntimeError("GenerationEvaluator.report(): nothing was evaluated yet")
        return self._report


def _expect(metric: GenerationMetric, conditions: Mapping[str, Any] | None) -> None:
    """Let a metric look at what images will be asked for.

    Raises:
        ValueError: it needs labels or attributes and the conditions have none, or others.
    """
    name = type(metric).__name__
    if metric.needs_labels and conditions is not None and conditions.get("num_classes") == 0:
        raise ValueError(f"{name} needs labels, the evaluation conditions have none")
    if metric.needs_attributes and conditions is not None and not conditions.get("attributes"):
        raise ValueError(
            f"{name} needs attributes, the evaluation conditions have none; use "
            "dict(type='AttributeConditionDataset')"
        )
    metric.expect(conditions or {})


def _build_reference(config: Mapping[str, Any] | None, extractor: Extractor) -> Reference | None:
    if config is None:
        return None
    for key in config:
        if key not in REFERENCE_KEYS:
            raise ValueError(
                f"GenerationEvaluator: reference has no key {key!r}.{nearest(key, list(REFERENCE_KEYS))}"
            )
    if "dataset" not in config:
        raise ValueError("GenerationEvaluator: reference needs dataset=dict(type=...), the real images")
    return Reference(extractor=extractor, **config)


def _unpack(sample: Mapping[str, Any]) -> tuple[Tensor, Condition]:
    """Return image and condition of one element of ``val_step``'s result."""
    if not isinstance(sample, Mapping) or "image" not in sample:
        raise ValueError(
            "GenerationEvaluator: val_step must return [dict(image=(N, 3, H, W), condition=Condition)], "
            f"got {type(sample).__name__}"
        )
    condition = sample.get("condition")
    return sample["image"], Condition() if condition is None else condition


def _total(count: int) -> int:
    """Return the sum of ``count`` over all ranks."""
    total = torch.tensor(count)
    all_reduce(total, "sum")
    return int(total)
