"""Does the generator repeat training images? Nearest real images of samples, and their distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from mmcgan.evaluation.metrics.collected import CollectedMetric, gather_rows
from mmcgan.extractors.base import ExtractorOutput
from mmcgan.neighbours.nearest import kth_neighbour_distances, nearest_neighbours
from mmcgan.pictures import write_png
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition

#: of a feature's length: sums of float32 in another order, some ten times what networks here show (1e-6)
ROUNDING = 1e-5


@dataclass(frozen=True)
class Memorized:
    """What the nearest real images say.

    Attributes:
        distance: (N, k), of generated to nearest real features, nearest first.
        row: int64 (N, k), which real images those are.
        real_distance: (M,), of real images to their nearest other real image.
        rounding: features of one image are this far apart at most, whatever batch it was in.
    """

    distance: Tensor
    row: Tensor
    real_distance: Tensor
    rounding: float = 0.0

    def closer_than_real(self, share: float = 0.01) -> float:
        """Return the share of samples closer to a real image than a ``share`` of real images are.

        As large as ``share`` for a generator that draws from the real distribution, near 1 for copies. What
        equals a real image counts, also where real images are there twice, so that the limit is 0.
        """
        return self._share_below(torch.quantile(self.real_distance.double(), share))

    def _share_below(self, limit: Tensor) -> float:
        """Return the share of samples nearer to a real image than ``limit``, () or (N,), or equal to one."""
        nearest = self.distance[:, 0].double()
        return float(((nearest < limit) | (nearest <= self.rounding)).double().mean())

    def closer_than_training(self) -> float:
        """Return the share of samples closer to their nearest real image than that is to any other real one.

        Under one half for a generator that draws from the real distribution, 1 for copies.
        """
        return self._share_below(self.real_distance.double()[self.row[:, 0]])

    def histogram(self, bins: int = 50) -> dict[str, list[float]]:
        """Return common bin edges (bins + 1) and the share of samples and of real images in each bin."""
        pair = {"generated": self.distance[:, 0].double(), "real": self.real_distance.double()}
        top = max(float(value.max()) for value in pair.values()) or 1.0
        edges = torch.linspace(0, top, bins + 1, dtype=torch.float64)
        counts = {name: torch.histc(value, bins, 0, top) / len(value) for name, value in pair.items()}
        return {"edges": edges.tolist(), **{name: value.tolist() for name, value in counts.items()}}


def memorization(real: Tensor, fake: Tensor, k: int = 5) -> Memorized:
    """Return the nearest real images of generated ones, beside the distances among real images.

    Args:
        real: (M, F) features of the training images.
        fake: (N, F) features of the samples.
        k: neighbours to keep, below M.

    Raises:
        ValueError: features that cannot be compared, or ``k`` out of range.
    """
    distance, row = nearest_neighbours(fake, real, k)
    rounding = ROUNDING * float(real.double().norm(dim=1).median())
    return Memorized(distance, row, kth_neighbour_distances(real, 1), rounding)


def neighbour_picture(images: Tensor, neighbours: Tensor, gap: int = 2) -> np.ndarray:
    """Return a picture: one row per sample, the sample first, then its nearest real images.

    Args:
        images: uint8 (N, 3, H, W).
        neighbours: uint8 (N, k, 3, H, W).
        gap: white pixels between images; the sample is set off by twice as many more.

    Raises:
        ValueError: shapes that do not belong together.
    """
    if images.dtype != torch.uint8 or neighbours.shape[0] != len(images) or neighbours.ndim != 5:
        raise ValueError(
            f"expected uint8 images (N, 3, H, W) and neighbours (N, k, 3, H, W), got {tuple(images.shape)} "
            f"and {tuple(neighbours.shape)}"
        )
    n, k, _, height, width = neighbours.shape
    sheet = torch.full(
        (3, n * (height + gap) + gap, (k + 1) * (width + gap) + 3 * gap), 255, dtype=torch.uint8
    )
    for row in range(n):
        top = gap + row * (height + gap)
        for column, image in enumerate([images[row], *neighbours[row]]):
            left = gap + column * (width + gap) + 2 * gap * (column > 0)
            sheet[:, top : top + height, left : left + width] = image
    return sheet.permute(1, 2, 0).contiguous().numpy()


@GENERATION_METRICS.register_module()
class Memorization(CollectedMetric):
    """Nearest training images of samples: the reference must be the training set.

    Args:
        share: a sample counts as close if it is closer to a real image than this share of the real
            images are to each other.
        picture: PNG of the samples closest to the training set beside their nearest real images, or
            None; the generated images are kept in memory for it.
        rows: samples in the picture.

    Raises:
        ValueError: ``share`` outside 0..1.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"memorization": {}}
    suite: ClassVar[tuple[str, ...]] = ("memorization",)
    better: ClassVar[Mapping[str, str]] = {"memorized": "less"}
    figures = ("memorized", "closer_than_training", "nearest_real", "nearest_real_ratio")

    def __init__(self, share: float = 0.01, picture: str | None = None, rows: int = 8) -> None:
        super().__init__()
        if not 0 < share < 1:
            raise ValueError(f"Memorization: share must lie between 0 and 1, got {share}")
        self.share = share
        self.least_real = 2
        self.picture = picture
        self.rows = rows
        self._details: dict[str, Any] = {}

    def reset(self) -> None:
        """Forget all images; the details of the last evaluation stay."""
        super().reset()
        self._images: list[Tensor] = []

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add features (N, F) and, for the picture, the images."""
        super().update(output, condition)
        if self.picture is not None and output.image is not None:
            self._images.append(output.image.cpu())

    def merge(self) -> None:
        """Put features and images of all ranks in their order."""
        super().merge()
        images = gather_rows(self._images)
        self._images = [] if images is None else [images]

    def compute(self) -> dict[str, float]:
        """Return ``memorized`` (share of close samples) and three figures more.

        ``closer_than_training`` is the share of samples closer to their nearest real image than that is to
        any other real image; ``nearest_real`` the median distance of a sample to its nearest real image,
        ``nearest_real_ratio`` the same over the median distance of a real image to its nearest other one,
        left out where that is 0 because real images are there twice.

        Raises:
            ValueError: too few real images.
        """
        real = self.real().features
        found = memorization(real, self.generated().features, min(5, len(real) - 1))
        nearest, among = float(found.distance[:, 0].median()), float(found.real_distance.median())
        closest = found.distance[:, 0].argsort()[: self.rows]
        self._details = {
            "histogram": found.histogram(),
            "closest": {
                "generated": closest.tolist(),
                "real": found.row[closest].tolist(),
                "distance": found.distance[closest].tolist(),
            },
        }
        if self._images and is_main_process():
            self._draw(closest, found.row[closest])
        ratio = {"nearest_real_ratio": nearest / among} if among > found.rounding else {}
        return {
            "memorized": found.closer_than_real(self.share),
            "closer_than_training": found.closer_than_training(),
            "nearest_real": nearest,
            **ratio,
        }

    def _draw(self, closest: Tensor, rows: Tensor) -> None:
        """Write the picture."""
        assert self._reference is not None and self.picture is not None
        real = self._reference.dataset.__getitems__(rows.flatten().tolist())["image"]
        picture = neighbour_picture(torch.cat(self._images)[closest], real.unflatten(0, rows.shape))
        write_png(picture, self.picture)

    def settings(self) -> dict[str, Any]:
        """Return the arguments that decide the figures."""
        return {"share": self.share}

    def details(self) -> dict[str, Any]:
        """Return the distance histogram and the samples closest to the training set, by row."""
        return self._details
