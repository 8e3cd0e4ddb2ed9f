"""Metrics that look at the generated images themselves, not at their features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mmcgan.checkpoints.files import load_checkpoint, load_weights
from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.metrics.collected import gather_rows, warn
from mmcgan.evaluation.metrics.pairs import (
    condition_keys,
    conditions_without_pair,
    pairs_of_one_condition,
)
from mmcgan.evaluation.metrics.similarity import SCALE_WEIGHTS, ms_ssim
from mmcgan.evaluation.metrics.sliced_wasserstein import sliced_wasserstein_distance
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.extractors.base import Extractor, ExtractorOutput
from mmcgan.extractors.weight_files import find_known
from mmcgan.pictures import from_levels
from mmcgan.random import make_generator
from mmcgan.registry import GENERATION_METRICS
from mmcgan.structures import Condition

PairDistance = Callable[[Tensor, Tensor], Tensor]


class ImageMetric(GenerationMetric):
    """Base of metrics over uint8 images (N, 3, H, W), which are kept in memory.

    Args:
        seed: of every random choice.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._images: list[Tensor] = []
        self._labels: list[Tensor] = []

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add the images the extractor saw, and the labels asked for.

        Raises:
            ValueError: the extractor passes no images on, or a metric that needs labels got none.
        """
        if output.image is None:
            raise ValueError(f"{type(self).__name__} needs ExtractorOutput.image; the extractor gives none")
        if self.needs_labels and condition.label is None:
            raise ValueError(f"{type(self).__name__}: the images were generated without labels")
        self._images.append(output.image.cpu())
        if condition.label is not None:
            self._labels.append(condition.label.cpu())

    def merge(self) -> None:
        """Put the images of all ranks in their order."""
        images, labels = gather_rows(self._images), gather_rows(self._labels)
        self._images = [] if images is None else [images]
        self._labels = [] if labels is None else [labels]

    def images(self) -> tuple[Tensor, Tensor | None]:
        """Return all images and labels.

        Raises:
            ValueError: there are none.
        """
        if not self._images:
            raise ValueError(f"{type(self).__name__}: no images were added")
        return torch.cat(self._images), torch.cat(self._labels) if self._labels else None

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"seed": self.seed}


class PairDiversity(ImageMetric):
    """Base: mean distance of random pairs of generated images with the same condition.

    Conditions are the same where all their fields are (label, attributes, instance, label map, ...). Images
    asked for without any are one group.

    Args:
        pairs: number of pairs.
        batch_size: pairs per call.
        seed: decides the pairs.

    Raises:
        ValueError: a number below 1.
    """

    needs_distinct: ClassVar[bool] = True

    def __init__(self, pairs: int = 2000, batch_size: int = 50, seed: int = 0) -> None:
        super().__init__(seed)
        if pairs < 1 or batch_size < 1:
            raise ValueError(f"{type(self).__name__}: pairs={pairs}, batch_size={batch_size} must be >= 1")
        self.pairs = pairs
        self.batch_size = batch_size

    def reset(self) -> None:
        """Forget all images."""
        super().reset()
        self._keys: list[Tensor] = []
        self._fields: set[str] = set()

    def update(self, output: ExtractorOutput, condition: Condition) -> None:
        """Add the images the extractor saw, and which of them were asked for with the same condition.

        Raises:
            ValueError: the extractor passes no images on.
        """
        super().update(output, condition)
        self._keys.append(condition_keys(condition, len(self._images[-1])))
        self._fields |= condition.present().keys()

    def merge(self) -> None:
        """Put the images of all ranks in their order."""
        super().merge()
        keys = gather_rows(self._keys)
        self._keys = [] if keys is None else [keys]

    def mean_over_pairs(self, distance: PairDistance) -> float:
        """Return the mean of ``distance`` (uint8 batches -> (n,)) over the pairs.

        Raises:
            ValueError: there are no images, or no two of them share a condition.
        """
        image, _ = self.images()
        keys, fields = torch.cat(self._keys), sorted(self._fields)
        rows = pairs_of_one_condition(
            keys, len(image), self.pairs, make_generator(self.seed, "pairs"), fields
        )
        alone, every = conditions_without_pair(keys)
        if alone:
            warn(
                f"{type(self).__name__}: {alone} of {every} conditions ({', '.join(fields)}) have one image "
                "only and are in no pair"
            )
        parts = zip(*(row.split(self.batch_size) for row in rows), strict=True)
        found = [distance(image[first], image[second]).flatten().double().cpu() for first, second in parts]
        return float(torch.cat(found).mean())

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "pairs": self.pairs}


@GENERATION_METRICS.register_module()
class LPIPSDiversity(PairDiversity):
    """Mean LPIPS distance (Zhang et al. 2018) of pairs with the same condition; larger is more diverse.

    Args:
        network: ``alex``, ``vgg`` or ``squeeze``; needs the package lpips.
        pairs: number of pairs.
        batch_size: pairs per call.
        seed: decides the pairs.
        weights: the network's ImageNet weights of torchvision; None looks in the cache folder of weights.

    Raises:
        ImportError: the package is missing; the message names the extra.
        FileNotFoundError: no weights; the message says which file, from where and where to put it.
        ValueError: another ``network``.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"lpips": {}}
    better: ClassVar[Mapping[str, str]] = {"lpips_diversity": "greater"}
    figures = ("lpips_diversity",)

    def __init__(
        self,
        network: str = "alex",
        pairs: int = 2000,
        batch_size: int = 50,
        seed: int = 0,
        weights: str | None = None,
    ) -> None:
        super().__init__(pairs, batch_size, seed)
        if network not in ("alex", "vgg", "squeeze"):
            raise ValueError(f"LPIPSDiversity: network={network!r}: choose one of alex, vgg, squeeze")
        self.network = network
        self.weights = weights
        self._distance: Any = None

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Load the network."""
        super().prepare(extractor, reference)
        self._distance = load_lpips(self.network, self.weights)

    @torch.no_grad()
    def compute(self) -> dict[str, float]:
        """Return ``lpips_diversity``.

        Raises:
            ValueError: no two images share a condition.
        """
        network = self._distance

        def distance(first: Tensor, second: Tensor) -> Tensor:
            return network(from_levels(first), from_levels(second))

        return {"lpips_diversity": self.mean_over_pairs(distance)}

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "network": self.network}


def load_lpips(network: str, weights: str | None = None) -> Any:
    """Return the LPIPS network: (N, 3, H, W) in [-1, 1], twice, to (N, 1, 1, 1).

    Args:
        network: ``alex``, ``vgg`` or ``squeeze``.
        weights: see :class:`LPIPSDiversity`.

    Raises:
        ImportError: the package is missing; the message names the extra.
        FileNotFoundError: no weights.
        ValueError: weights with another checksum.
        CheckpointError: weights of another network.
    """
    try:
        import lpips
    except ImportError as error:
        raise ImportError(
            "LPIPS needs the package lpips: pip install 'mmcgan[metrics]' (or leave this metric out)"
        ) from error
    path = find_known(f"lpips-{network}", weights, "LPIPS")
    model = lpips.LPIPS(net=network, pnet_rand=True, verbose=False).eval()  # else it downloads them itself
    # lpips cuts torchvision's ``features`` into slices and keeps their numbers.
    found = load_checkpoint(path)
    names = {name: f"features.{name.split('.', 1)[1]}" for name in model.net.state_dict()}
    load_weights(model.net, {name: found[own] for name, own in names.items() if own in found}, str(path))
    return model


@GENERATION_METRICS.register_module()
class MSSSIM(PairDiversity):
    """Mean MS-SSIM of pairs with the same condition (Odena et al. 2017); smaller is more diverse.

    Images need 16 pixels or more for the five scales; smaller ones are compared at fewer.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"ms-ssim": {}}
    suite: ClassVar[tuple[str, ...]] = ("ms-ssim",)
    better: ClassVar[Mapping[str, str]] = {"ms_ssim": "less"}
    figures = ("ms_ssim",)

    def compute(self) -> dict[str, float]:
        """Return ``ms_ssim``, in 0..1.

        Raises:
            ValueError: no two images share a condition.
        """
        side = min(self._images[0].shape[-2:]) if self._images else 16
        weights = SCALE_WEIGHTS[: max(1, min(5, int(side).bit_length()))]
        if len(weights) < len(SCALE_WEIGHTS):
            warn(f"MS-SSIM of images of {side} pixels uses {len(weights)} scales: not the published figure")
        return {"ms_ssim": self.mean_over_pairs(lambda a, b: ms_ssim(a, b, weights=weights))}


@GENERATION_METRICS.register_module()
class SWD(ImageMetric):
    """Sliced Wasserstein distance of Laplacian patches (Karras et al. 2018), x 1000.

    As many real as generated images are compared, drawn by ``seed``.

    Args:
        max_images: at most so many per side; 8192 in the paper.
        rule: ``pggan`` or ``mmagic``, see ``laplacian_pyramid``.
        seed: decides images, patches and directions.
    """

    short_names: ClassVar[Mapping[str, Mapping[str, Any]]] = {"swd": {}}
    better: ClassVar[Mapping[str, str]] = {"swd": "less", "swd_*": "less"}
    figures = ("swd", "swd_*")

    needs_reference: ClassVar[bool] = True

    def __init__(self, max_images: int = 8192, rule: str = "pggan", seed: int = 0) -> None:
        super().__init__(seed)
        if max_images < 1:
            raise ValueError(f"SWD: max_images must be at least 1, got {max_images}")
        self.max_images = max_images
        self.rule = rule
        self._reference: Reference | None = None

    def prepare(self, extractor: Extractor, reference: Reference | None) -> None:
        """Keep the reference."""
        super().prepare(extractor, reference)
        self._reference = reference

    def compute(self) -> dict[str, float]:
        """Return ``swd`` and ``swd_<side>`` per level of the pyramid.

        Raises:
            ValueError: real and generated images differ in size, or the side is no power of two >= 16.
        """
        assert self._reference is not None
        fake, _ = self.images()
        dataset = self._reference.dataset
        count = min(len(fake), len(dataset), self.max_images)
        rows = [
            torch.randperm(size, generator=make_generator(self.seed, name))[:count]
            for name, size in (("real", len(dataset)), ("generated", len(fake)))
        ]
        real = dataset.__getitems__(rows[0].tolist())["image"]
        generator = make_generator(self.seed, "patches")
        return sliced_wasserstein_distance(real, fake[rows[1]], generator, rule=self.rule)

    def settings(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().settings(), "max_images": self.max_images, "rule": self.rule}
