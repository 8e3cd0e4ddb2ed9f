"""What ``mmcgan sample`` does with a generator that paints label maps."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.apis.drawing import Draw, Plan
from mmcgan.closed_world import build
from mmcgan.datasets.label_maps.base import read_ids
from mmcgan.label_maps import check_label_map, instance_edges, unknown_ids
from mmcgan.origin import USER, Origin, RefusedConfigError
from mmcgan.pictures import contact_sheet, from_levels
from mmcgan.registry import DATASETS
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel

HELD_OUT = ("test", "val")
TRIPLES = 4  # groups of pictures side by side in a sheet


@dataclass(frozen=True)
class Maps:
    """Label maps to paint, in turn, read when they are needed.

    Attributes:
        condition: rows -> ``label_map`` (n, H, W), and ``edge_map`` if the generator wants it.
        name: row -> a short one of its map.
        real: rows -> the real images uint8 (n, 3, H, W) that the maps belong to; None for maps of files.
    """

    condition: Callable[[Sequence[int]], Condition]
    name: Callable[[int], str]
    real: Callable[[Sequence[int]], Tensor] | None = None


def check_label_maps(loaded: LoadedModel, files: Sequence[str | Path] | Tensor) -> None:
    """Refuse label maps for a model that does not paint them.

    Raises:
        ValueError: the model is of another kind.
    """
    if len(files) and "label_map" not in loaded.requires:
        raise ValueError(f"{loaded.name} is not conditioned on label maps: --label-maps is for SPADE models")


def map_plan(draw: Draw, maps: Maps, num: int) -> Plan:
    """Return the plan of ``num`` images that paint ``maps`` in turn."""
    return Plan(
        num,
        math.ceil(math.sqrt(num)),
        lambda rows: (maps.condition(rows), draw.latents(rows)),
        lambda row: f"{row:05d}_{maps.name(row)}",
    )


def maps_of_tensor(loaded: LoadedModel, given: Tensor, names: Sequence[str] | None = None) -> Maps:
    """Return label maps int64 (K, H, W), see :func:`given_maps`, as maps to paint in turn."""
    edges = instance_edges(given) if _wants_edges(loaded) else None

    def condition(rows: Sequence[int]) -> Condition:
        turn = torch.tensor(rows) % len(given)
        return Condition(label_map=given[turn], edge_map=None if edges is None else edges[turn])

    def name(row: int) -> str:
        return f"map{row % len(given)}" if names is None else names[row % len(given)]

    return Maps(condition, name)


def maps_of_files(loaded: LoadedModel, files: Sequence[str | Path]) -> Maps:
    """Return the maps in files and folders, by name; without any, those of held-out data.

    Raises:
        FileNotFoundError: a file, or the data set, is not there.
        ValueError: a file holds no ids, unknown ones, or a map has another size; or no held-out split.
    """
    if not files:
        return held_out_maps(loaded)
    paths = find_maps(files)
    return maps_of_tensor(loaded, given_maps(loaded, paths), [path.stem for path in paths])


def given_maps(loaded: LoadedModel, given: Sequence[str | Path] | Tensor) -> Tensor:
    """Return label maps that a model can paint, int64 (K, H, W).

    Args:
        loaded: a generator with the facts ``num_map_classes`` and ``image_size``.
        given: class ids (K, H, W); or pictures of them, files or folders.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: a file holds no ids, unknown ones, or a map has another size.
    """
    size, classes = map_size(loaded), int(loaded.model.generator.num_map_classes)
    if not isinstance(given, Tensor):
        return torch.stack([read_label_map(path, size, classes) for path in find_maps(given)])
    if given.ndim != 3 or tuple(given.shape[1:]) != size or not len(given):
        raise ValueError(
            f"label_maps must have the shape (K, {size[0]}, {size[1]}), got {tuple(given.shape)}"
        )
    check_label_map(given, classes)
    return given.long()


def map_size(loaded: LoadedModel) -> tuple[int, int]:
    """Return height and width of the label maps that a generator paints."""
    size: Any = loaded.model.generator.image_size
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _wants_edges(loaded: LoadedModel) -> bool:
    return "edge_map" in loaded.requires


def find_maps(files: Sequence[str | Path]) -> list[Path]:
    """Return the files given, and the PNG files of folders given, in order of name.

    Raises:
        FileNotFoundError: no such file, or a folder without PNG files.
    """
    found: list[Path] = []
    for given in map(Path, files):
        if given.is_dir():
            inside = sorted(given.glob("*.png"))
            if not inside:
                raise FileNotFoundError(f"--label-maps {given}: the folder has no .png files")
            found += inside
        elif given.is_file():
            found.append(given)
        else:
            raise FileNotFoundError(f"--label-maps {given}: no such file or folder")
    return found


def read_label_map(path: Path, size: tuple[int, int], num_map_classes: int) -> Tensor:
    """Return the class ids in a picture of one channel, int64 (H, W).

    Args:
        path: gray or palette picture whose values are ids.
        size: height and width that the map must have.
        num_map_classes: ids are 0..num_map_classes-1.

    Raises:
        BadImageError, ValueError: not such a picture, another size, or unknown ids; names the file and what
            is allowed.
    """
    ids = read_ids(path)
    if ids.shape != size:
        raise ValueError(
            f"{path}: the label map is {ids.shape[0]}x{ids.shape[1]} (height x width), the model paints "
            f"{size[0]}x{size[1]}; resize it by nearest neighbour"
        )
    label_map = torch.from_numpy(ids)
    if int(label_map.min()) < 0 or int(label_map.max()) >= num_map_classes:
        raise ValueError(f"{path}: {unknown_ids(label_map, num_map_classes)}")
    return label_map


def held_out_maps(loaded: LoadedModel) -> Maps:
    """Return the maps of the data that a model was not trained with, in order.

    Raises:
        FileNotFoundError: the data set is not there.
        ValueError: there is no held-out split.
    """
    dataset = held_out_dataset(dict(loaded.record.dataset), loaded.name, loaded.origin)

    def items(rows: Sequence[int]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = dataset.__getitems__([row % len(dataset) for row in rows])
        return found

    def condition(rows: Sequence[int]) -> Condition:
        batch = items(rows)
        edges = batch.get("edge_map") if _wants_edges(loaded) else None
        return Condition(label_map=batch["label_map"], edge_map=None if edges is None else edges.bool())

    def name(row: int) -> str:
        return f"{dataset.split}{row % len(dataset)}"

    return Maps(condition, name, lambda rows: items(rows)["image"])


def held_out_dataset(config: dict[str, Any], name: str, origin: Origin = USER) -> Any:
    """Return the data set of ``config`` with the split that a model was not trained with.

    Args:
        config: of the training images.
        name: the model's, for messages.
        origin: where the config comes from.

    Raises:
        FileNotFoundError: the data set is not there.
        ValueError: the model does not say what it was trained with, or that has no such split.
    """
    advice = "give label maps: --label-maps FILE.png ..."
    kind: Any = DATASETS.get(config["type"]) if isinstance(config.get("type"), str) else None
    if kind is None or "split" not in inspect.signature(kind).parameters:
        raise ValueError(f"{name} does not say which held-out label maps to paint; {advice}")
    for split in HELD_OUT:
        try:
            return build(DATASETS, {**config, "split": split}, origin, "dataset")
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{error}. Without the data, {advice}") from error
        except RefusedConfigError as error:
            raise RefusedConfigError(f"{error}; or {advice}") from error
        except ValueError as error:
            fault = error
    raise ValueError(f"{name}: {fault}; {advice}")


def label_colours(num_map_classes: int) -> Tensor:
    """Return a colour per class, uint8 (C, 3): black for 0, then far apart on the colour circle."""
    index = torch.arange(num_map_classes)
    hue = (index * 0.618034) % 1.0
    distance = ((hue[:, None] - torch.tensor([0.0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5).abs()
    level = torch.where(index % 2 == 0, 1.0, 0.65)[:, None]
    colours = level * (0.15 + 0.85 * (2 - 6 * distance).clamp(0, 1))
    colours[0] = 0
    return (255 * colours).round().to(torch.uint8)


def map_sheet(maps: Maps, images: Tensor, num_map_classes: int) -> np.ndarray:
    """Return a picture: label map, real image (where there is one) and sample of each, four groups a row.

    Args:
        maps: what was painted.
        images: the first samples, (N, 3, H, W) in [-1, 1].
        num_map_classes: number of classes of pixels.
    """
    rows = range(len(images))
    label_map = maps.condition(rows).label_map
    assert label_map is not None
    shown = [label_colours(num_map_classes)[label_map].permute(0, 3, 1, 2)]
    if maps.real is not None:
        shown.append(maps.real(rows))
    # large images are shown smaller
    parts = [F.interpolate(from_levels(part), images.shape[2:]) for part in shown]
    groups = torch.stack([*parts, images], dim=1)
    side_by_side = min(TRIPLES, len(groups))
    missing = -len(groups) % side_by_side
    groups = torch.cat([groups, groups.new_full((missing, *groups.shape[1:]), -1.0)])
    return contact_sheet(groups.flatten(0, 1), side_by_side * groups.shape[1])
