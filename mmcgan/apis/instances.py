"""From photos to the features that an instance-conditioned generator is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.archives import is_folder
from mmcgan.closed_world import build, named
from mmcgan.datasets.decode import ImageReader
from mmcgan.datasets.sets.scan import scan_folder
from mmcgan.extractors.base import Extractor
from mmcgan.extractors.names import extractor_config
from mmcgan.instance_preparation.features import extract
from mmcgan.instances.ranking import TensorRows, best_of_rows, pair_products
from mmcgan.instances.store import InstanceStore
from mmcgan.instances.store_metadata import StoreError
from mmcgan.origin import USER
from mmcgan.precision import recorded_or_faster
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS, EXTRACTORS
from mmcgan.zoo.models import LoadedModel

BLOCK = 64
ROWS = 1 << 13
ROUNDING = 1e-11  # of float64 products of unit vectors that are summed in different orders


@dataclass(frozen=True)
class Photos:
    """Conditioning images and their instances.

    Attributes:
        paths: where they were read.
        image: uint8 (M, 3, H, W), as the extractor was shown them.
        feature: float32 (M, F), rows of length 1.
    """

    paths: list[Path]
    image: Tensor
    feature: Tensor

    def __len__(self) -> int:
        return len(self.paths)


def find_photos(sources: Sequence[str | Path]) -> list[Path]:
    """Return the image files among ``sources``, folders replaced by the images in them.

    Raises:
        FileNotFoundError: no such file or folder.
        ValueError: a folder without images, or nothing at all.
    """
    found: list[Path] = []
    for source in map(Path, sources):
        if is_folder(source):
            found += map(Path, scan_folder(source, labelled=False).paths)
        elif source.is_file():
            found.append(source)
        else:
            raise FileNotFoundError(f"--instances {source}: no such file or folder")
    if not found:
        raise ValueError("--instances: name at least one image or folder")
    return found


def build_extractor(loaded: LoadedModel, name: str | None = None) -> Extractor:
    """Return the extractor that the model's instances came from.

    Args:
        loaded: the model.
        name: what ``--extractor`` says, for an extractor whose file has moved; None takes the recorded one.

    Raises:
        FileNotFoundError: the extractor's weights are not there.
        StoreError: another extractor, or other weights.
        ValueError: the model is not conditioned on instances.
    """
    if "instance" not in loaded.requires:
        raise ValueError(f"{loaded.name} is not conditioned on instances, so that none can be chosen")
    recorded = _recorded(loaded, name is not None)
    config = recorded["config"] if name is None else extractor_config(name)
    origin = loaded.extractor_origin if name is None else USER
    described = {"name": "of no name", "precision": "float32", **(recorded.get("describe") or {})}
    with named(origin, "extractor"):
        precision = recorded_or_faster(described["precision"], "cpu")
    try:
        extractor: Extractor = build(EXTRACTORS, {**config, "precision": precision}, origin, "extractor")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}. {loaded.name} needs extractor {described['name']!r}: give --extractor FILE"
        ) from error
    _check_extractor(loaded, extractor, described)
    return extractor.eval()


def _recorded(loaded: LoadedModel, given: bool) -> Mapping[str, Any]:
    """Return what is known of the extractor; the weights are enough where it is ``given``, without a store.

    Raises:
        FileNotFoundError: the store is needed and not there.
    """
    try:
        return loaded.extractor
    except FileNotFoundError:
        if given and loaded.record.extractor.get("describe"):
            return loaded.record.extractor
        raise


def _check_extractor(loaded: LoadedModel, extractor: Extractor, recorded: Mapping[str, Any]) -> None:
    """Compare what decides features; a file may be called differently.

    Raises:
        StoreError: says what differs.
    """
    for key, value in extractor.describe().items():
        if key not in ("name", "precision") and recorded.get(key) != value:
            raise StoreError(
                f"{loaded.name} was trained with instances of extractor {recorded['name']!r}, not of "
                f"{extractor.name!r}: {key} is {recorded.get(key)!r}, here {value!r}"
            )


@torch.no_grad()
def read_photos(loaded: LoadedModel, paths: Sequence[Path], extractor: Extractor) -> Photos:
    """Read image files and find their instances.

    Raises:
        BadImageError: a file cannot be read; names it.
        ValueError: a feature is not finite.
    """
    size = _recorded(loaded, given=True).get("image_size") or extractor.preprocessing.image_size
    reader = ImageReader(int(size))
    image = torch.stack([reader(path) for path in paths])
    features = []
    with progress_bar("Instances", -(-len(image) // BLOCK)) as advance:
        for start in range(0, len(image), BLOCK):
            features.append(extract(extractor, image[start : start + BLOCK], start))
            advance()
    return Photos(list(paths), image, torch.cat(features))


# --- the closest images -----------------------------------------------------------------------


def closest(store: InstanceStore, feature: Tensor, n: int, rows: Tensor | None = None) -> Tensor:
    """Return the ``n`` images of ``store`` closest to each feature, nearest first, int64 (M, n).

    Args:
        store: where to look.
        feature: float32 (M, F), rows of length 1.
        n: how many.
        rows: look among these only, int64 (R,).

    Raises:
        ValueError: fewer than ``n`` images to look among.
    """
    among = torch.arange(store.size) if rows is None else rows
    if not 1 <= n <= len(among):
        raise ValueError(f"--nearest {n}: must be in 1..{len(among)}")
    best = torch.empty(len(feature), 0, dtype=torch.float64)
    index = torch.empty(len(feature), 0, dtype=torch.int64)
    for start in range(0, len(among), ROWS):
        part = among[start : start + ROWS]
        names, scores = _closest_of(store.features(part), feature, min(n, len(part)))
        # earlier images stand first and stay first where they are equally close
        best, order = torch.cat([best, scores], dim=1).sort(dim=1, descending=True, stable=True)
        best = best[:, :n]
        index = torch.cat([index, part[names]], dim=1).gather(1, order[:, :n])
    return index


def _closest_of(rows: Tensor, feature: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the ``n`` closest of some rows for each feature and their exact similarities, (M, n) each."""
    rough = feature.double() @ rows.double().T
    near = rough >= rough.topk(n).values[:, -1:] - ROUNDING
    row, column = (part.numpy() for part in near.nonzero(as_tuple=True))
    exact = pair_products(TensorRows(rows.float()), feature.float(), row, column)
    names, scores = best_of_rows(row, column, exact, (len(feature), n))
    return torch.from_numpy(names).long(), torch.from_numpy(scores)


def training_images(loaded: LoadedModel, nearest: int = 1) -> Any:
    """Return the data set of the images that the store was made of.

    Args:
        loaded: the model.
        nearest: how many closest images will be asked for.

    Raises:
        ValueError: the model does not say what it was trained with, or there are fewer images.
        StoreError: the images are not those of the store.
        FileNotFoundError: they are not there, or the store is not.
    """
    config, store = dict(loaded.record.dataset), _store_of_training(loaded)
    if store is None or "dataset" not in config:
        raise ValueError(f"--nearest: {loaded.name} does not say which images it was trained with")
    fewest = min(store.size if rows is None else len(rows) for rows in looked_among(store))
    if not 1 <= nearest <= fewest:
        raise ValueError(f"--nearest {nearest}: must be in 1..{fewest}")
    images = build(DATASETS, config["dataset"], loaded.origin, "dataset")
    store.require_dataset(images)
    return images


def looked_among(store: InstanceStore) -> list[Tensor | None]:
    """Return the rows among which closest images are looked for: those that k-means selected, then all."""
    return [store.selected(), None] if "selected.npy" in store.metadata.get("files", {}) else [None]


def _store_of_training(loaded: LoadedModel) -> InstanceStore | None:
    """Return the store; where it did not come with somebody's weights, say how to name one."""
    try:
        return loaded.store
    except FileNotFoundError as error:
        if loaded.origin.own:
            raise
        raise FileNotFoundError(
            f"--nearest: {loaded.name} comes without the store of instances in which closest images are "
            "looked up. Make one of the images and with the extractor of its training (mmcgan "
            f"prepare-instances), and name it: mmcgan sample CONFIG {loaded.origin.source} --nearest N "
            "--cfg-options train_dataloader.dataset.store=STORE"
        ) from error
