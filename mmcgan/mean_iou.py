"""Mean intersection over union of label maps, for semantic image synthesis."""

from __future__ import annotations

import torch
from torch import Tensor


def confusion_matrix(
    predicted: Tensor, target: Tensor, num_classes: int, ignore_label: int | None = 255
) -> Tensor:
    """Return how many pixels of each true class (row) were seen as each class (column).

    Matrices of batches, and of ranks, add up. For semantic synthesis ``predicted`` is what a
    segmentation network sees in the generated image and ``target`` the label map it was made from.

    Args:
        predicted: integer, any shape, in 0..num_classes-1.
        target: of the same shape; pixels with ``ignore_label`` do not count.
        num_classes: C.
        ignore_label: None counts every pixel.

    Returns:
        int64 (C, C).

    Raises:
        ValueError: shapes that differ, or a label outside 0..num_classes-1.
    """
    if predicted.shape != target.shape:
        raise ValueError(f"label maps differ in shape: {tuple(predicted.shape)}, {tuple(target.shape)}")
    counted = torch.ones_like(target, dtype=torch.bool) if ignore_label is None else target != ignore_label
    seen, true = predicted[counted].long(), target[counted].long()
    for name, value in (("predicted", seen), ("target", true)):
        if value.numel() and not 0 <= int(value.min()) <= int(value.max()) < num_classes:
            raise ValueError(
                f"{name} labels span {int(value.min())}..{int(value.max())}, classes 0..{num_classes - 1}"
            )
    return torch.bincount(true * num_classes + seen, minlength=num_classes**2).view(num_classes, num_classes)


def iou_per_class(confusion: Tensor) -> Tensor:
    """Return intersection over union of each class, float64 (C,); NaN where a class never occurs."""
    counts = confusion.double()
    hits = counts.diagonal()
    return hits / (counts.sum(dim=0) + counts.sum(dim=1) - hits)


def mean_iou(confusion: Tensor) -> float:
    """Return the mean over the classes that occur, in 0..1.

    Raises:
        ValueError: an empty matrix.

    Examples:
        >>> import torch
        >>> mean_iou(torch.tensor([[3, 1], [0, 4]]))  # 3 of 4 and 4 of 5
        0.775
    """
    if not int(confusion.sum()):
        raise ValueError("mean IoU: no pixels were counted")
    return float(iou_per_class(confusion).nanmean())
