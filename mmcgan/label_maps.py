"""Maps of class ids, one per pixel: what networks and losses make of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.structures import Condition


def one_hot_map(label_map: Tensor, num_map_classes: int, edge_map: Tensor | None = None) -> Tensor:
    """Return float32 (N, num_map_classes, H, W): 1 at every pixel's class; edges as a last channel.

    Args:
        label_map: int64 (N, H, W).
        num_map_classes: number of classes; one for "don't care" is among them, the last.
        edge_map: bool (N, H, W), appended as channel ``num_map_classes``.

    Raises:
        ValueError: a class id is out of range (see :func:`check_label_map`).
    """
    check_label_map(label_map, num_map_classes)
    channels = num_map_classes + (edge_map is not None)
    size = (label_map.shape[0], channels, *label_map.shape[1:])
    encoded = torch.zeros(size, device=label_map.device)
    encoded.scatter_(1, label_map[:, None], 1.0)
    if edge_map is not None:
        encoded[:, -1] = edge_map
    return encoded


def semantic_map(condition: Condition, num_map_classes: int, has_edges: bool) -> Tensor:
    """Return the :func:`one_hot_map` of ``condition``.

    Raises:
        ValueError: the condition has no label map, or no edges although they are asked for.
    """
    names = ["label_map", "edge_map"] if has_edges else ["label_map"]
    for name in names:
        if condition.get(name) is None:
            present = list(condition.present()) or "nothing"
            raise ValueError(f"the network needs condition.{name}, present: {present}")
    assert condition.label_map is not None
    return one_hot_map(condition.label_map, num_map_classes, condition.edge_map if has_edges else None)


def check_label_map(label_map: Tensor, num_map_classes: int) -> None:
    """Check class ids on the CPU, where it costs little (a GPU would have to wait), and not while tracing.

    Raises:
        ValueError: ids outside [0, num_map_classes), which are named.
    """
    if torch.compiler.is_compiling():
        return
    if not label_map.is_cpu or not label_map.numel():
        return
    if int(label_map.min()) < 0 or int(label_map.max()) >= num_map_classes:
        raise ValueError(unknown_ids(label_map, num_map_classes))


def unknown_ids(label_map: Tensor, num_map_classes: int) -> str:
    """Return a sentence about the ids of ``label_map`` that are not in [0, num_map_classes)."""
    ids = label_map.unique()
    bad = ids[(ids < 0) | (ids >= num_map_classes)].tolist()
    return f"label map has class ids {bad[:8]}; allowed are 0..{num_map_classes - 1}"


def resize_label_map(label_map: Tensor, size: tuple[int, int]) -> Tensor:
    """Return ids (N, h, w) by nearest neighbour, as networks resize their maps: pixel floor(i H / h).

    Args:
        label_map: int64 (N, H, W).
        size: h and w.
    """
    # interpolation is of floats, which hold ids below 2^24 exactly
    return F.interpolate(label_map[:, None].float(), size=size).squeeze(1).long()


def instance_edges(ids: Tensor) -> Tensor:
    """Return where the left, right, upper or lower neighbour belongs to another instance, bool.

    Both sides of a border are marked; the border of the image is none.

    Args:
        ids: whole numbers (..., H, W).
    """
    edges = torch.zeros_like(ids, dtype=torch.bool)
    across = ids[..., :, 1:] != ids[..., :, :-1]
    edges[..., :, 1:] |= across
    edges[..., :, :-1] |= across
    down = ids[..., 1:, :] != ids[..., :-1, :]
    edges[..., 1:, :] |= down
    edges[..., :-1, :] |= down
    return edges
