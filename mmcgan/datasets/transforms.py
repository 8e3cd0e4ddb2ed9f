"""mmcv's transforms that build other transforms, with children from our closed registry only.

mmcv builds children with MMEngine's open registries, which import and call whatever ``type`` names.
Pipelines are part of data sets, and those are described in the files of other people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv import transforms as mmcv_transforms

from mmcgan.registry import TRANSFORMS


def built(transforms: Any) -> list[Any]:
    """Return transforms, built where they are configs.

    Raises:
        KeyError: an unknown transform.
    """
    many = transforms if isinstance(transforms, list | tuple) else [transforms]
    return [TRANSFORMS.build(item) if isinstance(item, Mapping) else item for item in many]


@TRANSFORMS.register_module(force=True)
class Compose(mmcv_transforms.Compose):
    """Apply ``transforms`` one after the other."""

    def __init__(self, transforms: Sequence[Any]) -> None:
        super().__init__(built(transforms))


@TRANSFORMS.register_module(force=True)
class RandomApply(mmcv_transforms.RandomApply):
    """Apply ``transforms`` with probability ``prob``."""

    def __init__(self, transforms: Sequence[Any], prob: float = 0.5) -> None:
        super().__init__(built(transforms), prob)


@TRANSFORMS.register_module(force=True)
class RandomChoice(mmcv_transforms.RandomChoice):
    """Apply one of several lists of transforms, chosen with probabilities ``prob`` (equal by default)."""

    def __init__(self, transforms: Sequence[Any], prob: list[float] | None = None) -> None:
        super().__init__([built(candidate) for candidate in transforms], prob)


@TRANSFORMS.register_module(force=True)
class CenterCrop(mmcv_transforms.CenterCrop):
    """Cut the centre; see mmcv. Padding is mmcv's ``Pad``.

    Raises:
        ValueError: ``pad_cfg`` names another transform.
    """

    def __init__(
        self,
        crop_size: int | Sequence[int],
        auto_pad: bool = False,
        pad_cfg: Mapping[str, Any] | None = None,
        clip_object_border: bool = True,
    ) -> None:
        padding = dict(pad_cfg or {"type": "Pad"})
        if padding.get("type") != "Pad" or "_scope_" in padding:
            raise ValueError(f"CenterCrop: pad_cfg={padding} must be of type 'Pad'")
        size = crop_size if isinstance(crop_size, int) else tuple(crop_size)
        super().__init__(size, auto_pad, padding, clip_object_border)


@TRANSFORMS.register_module(force=True)
class RandomResize(mmcv_transforms.RandomResize):
    """Resize to a random scale; see mmcv."""

    def __init__(
        self,
        scale: Sequence[Any],
        ratio_range: Sequence[float] | None = None,
        keep_ratio: bool = False,
        interpolation: str = "bilinear",
        backend: str = "cv2",
    ) -> None:
        ratios = None if ratio_range is None else tuple(ratio_range)
        options = dict(keep_ratio=keep_ratio, interpolation=interpolation, backend=backend)
        super().__init__(scale, ratios, **options)


@TRANSFORMS.register_module(force=True)
class RandomChoiceResize(mmcv_transforms.RandomChoiceResize):
    """Resize to one of several scales; see mmcv."""

    def __init__(
        self,
        scales: Sequence[Any],
        keep_ratio: bool = False,
        interpolation: str = "bilinear",
        backend: str = "cv2",
    ) -> None:
        super().__init__(scales, keep_ratio=keep_ratio, interpolation=interpolation, backend=backend)
