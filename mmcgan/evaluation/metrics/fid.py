"""Fréchet distance between the features of generated and real images."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from mmengine.logging import print_log

from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.statistics.frechet import StreamingMoments, frechet_distance
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class FID(GenerationMetric):
    """Fréchet distance of Gaussians fitted to features (Heusel et al. 2017, equation 6).

    Covariances are unbiased (ddof 1), as in all peers. It is the published "FID" only with the
    published Inception network; with another extractor figures compare among themselves alone.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"fid": {}}
    suite: ClassVar[tuple[str, ...]] = ("fid",)
    better: ClassVar[Mapping[str, str]] = {"fid": "less"}
    figures = ("fid",)

    needs_reference: ClassVar[bool] = True
    least_generated = 2
    least_real = 2

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._moments = StreamingMoments()

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference; its statistics are loaded or computed when first needed."""
        super().prepare(extractor, reference)
        self._reference = reference

    def reset(self) -> None:
        """Forget all images."""
        self._moments = StreamingMoments()

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add features (N, F)."""
        self._moments.update(output.features)

    def merge(self) -> None:
        """Combine the moments of all ranks."""
        self._moments.merge()

    def compute(self) -> dict[str, float]:
        """Return ``fid``.

        Raises:
            RuntimeError: :meth:`prepare` was not called.
        """
        if self._reference is None:
            raise RuntimeError("FID.prepare() must be called with a reference first")
        fake = self._moments.compute()
        real = self._reference.statistics()
        if fake.count <= len(fake.mean):
            print_log(
                f"FID over {fake.count} images with {len(fake.mean)} features: the covariance is not of "
                "full rank and the figure is biased upwards; generate more images",
                logger="current",
                level=logging.WARNING,
            )
        covariance = real.covariance.to(fake.covariance.device)
        mean = real.mean.to(fake.mean.device)
        return {"fid": frechet_distance(fake.mean, fake.covariance, mean, covariance)}

    def settings(self) -> dict[str, Any]:
        """Return the divisor rule of the covariance."""
        return {"ddof": 1}
