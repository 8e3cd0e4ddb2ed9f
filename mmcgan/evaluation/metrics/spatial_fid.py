"""Spatial FID: the Fréchet distance of an intermediate feature map, which sees where things are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.metrics.grouped_fid import warn_if_few
from mmcgan.evaluation.statistics.frechet import GaussianStatistics, StreamingMoments, frechet_distance
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition


@GENERATION_METRICS.register_module()
class SpatialFID(GenerationMetric):
    """FID over ``ExtractorOutput.spatial`` (sFID; Nash et al. 2021, section 4).

    With Inception these are the first seven channels of a mixed_6 map, 7 x 17 x 17 = 2023 numbers.
    Generated images are streamed; the real ones are looked at once per process.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"spatial-fid": {}}
    better: ClassVar[Mapping[str, str]] = {"spatial_fid": "less"}
    figures = ("spatial_fid",)

    needs_reference: ClassVar[bool] = True
    least_generated = 2
    least_real = 2

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._real: GaussianStatistics | None = None
        self._moments = StreamingMoments()

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference.

        Raises:
            ValueError: the extractor gives no spatial features.
        """
        super().prepare(extractor, reference)
        if not extractor.spatial_dim:
            raise ValueError(
                f"SpatialFID needs spatial features (ExtractorOutput.spatial); the extractor "
                f"{extractor.name!r} gives none"
            )
        self._reference = reference

    def reset(self) -> None:
        """Forget all generated images."""
        self._moments = StreamingMoments()

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add spatial features (N, S)."""
        self._moments.update(require_spatial(output))

    def merge(self) -> None:
        """Combine the moments of all ranks."""
        self._moments.merge()

    def _real_statistics(self) -> GaussianStatistics:
        if self._real is None:
            assert self._reference is not None
            moments = StreamingMoments()
            for output, _ in self._reference.outputs("spatial features of the real images"):
                moments.update(require_spatial(output))
            moments.merge()
            self._real = moments.compute()
        return self._real

    def compute(self) -> dict[str, float]:
        """Return ``spatial_fid``.

        Raises:
            ValueError: fewer than two images.
        """
        fake, real = self._moments.compute(), self._real_statistics()
        warn_if_few("spatial FID", fake.count, len(fake.mean))
        pair = [value.cpu() for value in (fake.mean, fake.covariance, real.mean, real.covariance)]
        return {"spatial_fid": frechet_distance(*pair)}

    def settings(self) -> dict[str, Any]:
        """Return the divisor rule of the covariance."""
        return {"ddof": 1}


def require_spatial(output: ExtractorOutput) -> Tensor:
    """Return the spatial features (N, S).

    Raises:
        ValueError: the extractor announced some and gave none.
    """
    if output.spatial is None:
        raise ValueError("SpatialFID: the extractor has spatial_dim > 0 but gave no ExtractorOutput.spatial")
    return output.spatial
