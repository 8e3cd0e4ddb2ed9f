"""The instance store: features, neighbours and selected instances of one image set, on disk.

A store is a folder. ``metadata.json`` says what it was made of and lists the files with their sizes:

| file | content |
|---|---|
| ``features.npy`` | float32 (N, F), rows of length 1 (or all zero) |
| ``flipped.npy`` | the same of the mirrored images, if asked for |
| ``neighbours.npy`` | int32 (N, k): other images, nearest first |
| ``radius.npy`` | float32 (N,): distance to the k-th neighbour |
| ``selected.npy`` | int64 (M,): instances chosen by k-means |
| ``labels.npy``, ``class_order.npy``, ``class_starts.npy`` | labels, and the images sorted by class |

Nothing in it is executed: the arrays are plain ``.npy`` files without pickled objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mmcgan.array_files import FLOATS, INTEGERS, read_array
from mmcgan.checkpoints.seal import STORE, is_own, is_own_of_before
from mmcgan.class_names import Classes, require_same
from mmcgan.instances.arrays import RowArray
from mmcgan.instances.store_checks import check_rows, check_tables, finite_rows, shown_command
from mmcgan.instances.store_metadata import COMMAND, StoreError, read_store_metadata, sealed_text
from mmcgan.random import make_generator


class ImageSet(Protocol):
    """What a store asks of the data set that it is for."""

    size: int
    labels: Tensor | None
    classes: Sequence[str] | None

    def source_digest(self) -> str | None:
        """Return a digest of which files these are, None if not of files."""

    def fingerprint(self) -> str:
        """Return a digest of the images, labels and settings."""

    def __len__(self) -> int: ...


class InstanceStore:
    """A finished store, read through memory maps.

    Args:
        root: the folder.

    Attributes:
        metadata: what the store was made of.
        size, dim, k: N, F and the number of neighbours kept.
        num_classes: 0 without labels.
        flipped: whether features of the mirrored images are there too.
        labels: int64 (N,), or None.

    Raises:
        FileNotFoundError: there is no finished store, or a file of it is missing.
        StoreError: a file is truncated, or the metadata is damaged.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.metadata = read_store_metadata(root)
        self._check_files()
        self.size = int(self.metadata["size"])
        self.dim = int(self.metadata["dim"])
        self.k = int(self.metadata["k"])
        self.num_classes = int(self.metadata["num_classes"])
        self.flipped = bool(self.metadata["flip"])
        self._features = RowArray(self.root / "features.npy", FLOATS)
        self._mirrored = RowArray(self.root / "flipped.npy", FLOATS) if self.flipped else None
        self._neighbours = RowArray(self.root / "neighbours.npy", INTEGERS)
        check_tables(self.metadata, self._features, self._mirrored, self._neighbours)
        self.labels = self._optional("labels")

    @property
    def own(self) -> bool:
        """Whether this user made the store, so that its extractor may be a file anywhere."""
        config = self.metadata["extractor"].get("config", {})
        text, mark = sealed_text(config), self.metadata.get("seal")
        return is_own(mark, STORE, text) or is_own_of_before(mark, text)

    def _check_files(self) -> None:
        for name, entry in self.metadata["files"].items():
            path = self.root / name
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing from the instance store. {self.rebuild_hint()}")
            if path.stat().st_size != entry.get("bytes"):
                raise StoreError(
                    f"{path}: truncated or changed: it has {path.stat().st_size} bytes, the metadata says "
                    f"{entry.get('bytes')}. {self.rebuild_hint()}"
                )

    def _optional(self, name: str) -> Tensor | None:
        path = self.root / f"{name}.npy"
        if f"{name}.npy" not in self.metadata["files"]:
            return None
        found = torch.from_numpy(read_array(path, INTEGERS, dims=1).astype("int64"))
        check_rows(path, found, self.size, self.num_classes)
        return found

    def features(self, index: Tensor, flipped: Tensor | None = None) -> Tensor:
        """Return the L2-normalised features of images ``index`` (n,), float32 (n, F).

        Args:
            index: int64 (n,).
            flipped: bool (n,): take the mirrored image's feature where true.

        Raises:
            StoreError: some are NaN or infinite; or mirrored ones are asked for and the store has none.
        """
        rows = finite_rows(self._features, index)
        if flipped is not None and bool(flipped.any()):
            if self._mirrored is None:
                raise StoreError(
                    f"{self.root} has no features of mirrored images. {self.rebuild_hint('--flip')}"
                )
            rows[flipped] = finite_rows(self._mirrored, index[flipped])
        return rows

    def neighbours(self, index: Tensor) -> Tensor:
        """Return the k nearest other images of each of ``index`` (n,), nearest first, int64 (n, k)."""
        return self._neighbours.rows(index).long()

    def radius(self) -> Tensor:
        """Return the distance of each image to its k-th neighbour, float32 (N,)."""
        return torch.from_numpy(read_array(self.root / "radius.npy", FLOATS, dims=1))

    def selected(self) -> Tensor:
        """Return the instances chosen by k-means, int64 (M,).

        Raises:
            StoreError: none were chosen.
        """
        chosen = self._optional("selected")
        if chosen is None:
            raise StoreError(f"{self.root} has no k-means instances. {self.rebuild_hint('--kmeans 1000')}")
        return chosen

    def class_rows(self) -> tuple[Tensor, Tensor]:
        """Return all images sorted by class, int64 (N,), and where each class starts, int64 (C + 1,).

        Raises:
            StoreError: the store has no labels.
        """
        order, starts = self._optional("class_order"), self._optional("class_starts")
        if order is None or starts is None:
            raise StoreError(
                f"{self.root} has no labels, which a class-conditional model needs. Build it from a labelled "
                f"data set. {self.rebuild_hint()}"
            )
        return order, starts

    def require_k(self, k: int | None) -> int:
        """Return ``k``, or all that are stored for None.

        Raises:
            StoreError: fewer are stored, or ``k`` is not positive.
        """
        if k is None:
            return self.k
        if k < 1:
            raise StoreError(f"k must be at least 1, got {k}")
        if k > self.k:
            raise StoreError(
                f"{self.root} keeps {self.k} neighbours of each image, k={k} are asked for. "
                f"{self.rebuild_hint(f'--k {k}')}"
            )
        return k

    def require_dataset(self, dataset: ImageSet) -> None:
        """Check that the store was made of the images of ``dataset``.

        Raises:
            StoreError: other images; names the first difference.
        """
        recorded = self.metadata["dataset"]
        if recorded["fingerprint"] == dataset.fingerprint():
            return
        identity = image_identity(dataset)
        if identity is not None and identity == recorded.get("files"):
            return
        size = (
            f"{self.size} and {len(dataset)} images"
            if self.size != len(dataset)
            else "other pixels, names or labels"
        )
        if "files" not in recorded:
            size += "; or it was made by an earlier version, which knew the paths of the images only"
        raise StoreError(
            f"{self.root} was made of another data set ({recorded['name']}) than {type(dataset).__name__}: "
            f"{size}. {self.rebuild_hint()}"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that :attr:`labels` number; empty where they are not known."""
        return tuple(map(str, self.metadata.get("classes") or ()))

    def require_classes(self, names: Sequence[str]) -> None:
        """Check that the labels number a model's classes.

        Args:
            names: of the model's classes, in order; empty where they are not known.

        Raises:
            StoreError: other classes, or the same in another order.
        """
        known = Classes(f"the store {self.root}", self.num_classes or None, self.classes)
        try:
            require_same(Classes("the model", len(names) or None, tuple(names)), known)
        except ValueError as error:
            raise StoreError(f"{error}. {self.rebuild_hint()}") from error

    def require_extractor(self, description: Mapping[str, Any]) -> None:
        """Check that an extractor's ``describe()`` is that of the store's extractor.

        Raises:
            StoreError: another extractor or other weights; names what differs.
        """
        recorded = self.metadata["extractor"]["describe"]
        for key, value in description.items():
            if recorded.get(key) != value:
                raise StoreError(
                    f"{self.root} holds features of extractor {recorded['name']!r}, not of "
                    f"{description['name']!r}: {key} is {recorded.get(key)!r}, expected {value!r}. "
                    f"{self.rebuild_hint()}"
                )

    def rebuild_hint(self, changed: str = "") -> str:
        """Return the sentence that says how to build the store anew, with an option changed."""
        option = f" with {changed}" if changed else ""
        return f"Build the store again{option}:\n  {shown_command(self.metadata.get('command'))}"


class MemoryStore(InstanceStore):
    """Instances held in memory.

    Args:
        features: L2-normalised, float32 (N, F); a mirrored image's are the same.
        neighbours: other images, nearest first, int64 (N, k).
        labels: int64 (N,), or None.
        num_classes: 0 without labels.
        selected: instances chosen by k-means, int64 (M,).
    """

    def __init__(
        self,
        features: Tensor,
        neighbours: Tensor,
        labels: Tensor | None = None,
        num_classes: int = 0,
        selected: Tensor | None = None,
    ) -> None:
        self.root = Path("memory")
        self.metadata = {"command": COMMAND, "extractor": {"describe": {"name": "memory"}}}
        self.size, self.dim = features.shape
        self.k = neighbours.shape[1]
        self.num_classes, self.labels, self.flipped = num_classes, labels, True
        self._table, self._near, self._selected = features, neighbours, selected

    def features(self, index: Tensor, flipped: Tensor | None = None) -> Tensor:
        """Return rows of the features."""
        return self._table[index]

    def neighbours(self, index: Tensor) -> Tensor:
        """Return the neighbours of ``index``."""
        return self._near[index]

    def radius(self) -> Tensor:
        """Return the distance of each image to its k-th neighbour, float32 (N,)."""
        return (self._table - self._table[self._near[:, -1]]).norm(dim=1)

    def _optional(self, name: str) -> Tensor | None:
        if name == "selected":
            return self._selected
        if self.labels is None:
            return None
        order, starts = class_table(self.labels, self.num_classes)
        return order if name == "class_order" else starts

    def require_dataset(self, dataset: ImageSet) -> None:
        """Check the number of images."""
        if len(dataset) != self.size:
            raise StoreError(f"the store has {self.size} instances, the data set {len(dataset)} images")


class SyntheticStore(MemoryStore):
    """Made-up instances, to try a configuration without its store.

    Features are random directions, neighbours are the images that follow in a circle, every second instance
    is selected.

    Args:
        size, dim, num_classes: N, F and C.
        k: neighbours of each image.
        seed: of the features.
    """

    def __init__(
        self, size: int = 64, dim: int = 16, num_classes: int = 0, k: int = 5, seed: int = 0
    ) -> None:
        features = torch.randn(size, dim, generator=make_generator(seed, "synthetic store"))
        rows = torch.arange(size)
        near = (rows[:, None] + torch.arange(1, min(k, size - 1) + 1)) % size
        labels = rows % num_classes if num_classes else None
        normalised = torch.nn.functional.normalize(features)
        super().__init__(normalised, near, labels, num_classes, rows[::2])


def open_store(source: str | Path | Mapping[str, Any] | InstanceStore) -> InstanceStore:
    """Return the store in a folder, the :class:`SyntheticStore` that a dict describes, or a store as it is.

    Raises:
        FileNotFoundError: there is no finished store in the folder.
        StoreError: it is damaged.
    """
    if isinstance(source, InstanceStore):
        return source
    if isinstance(source, Mapping):
        return SyntheticStore(**source)
    return InstanceStore(source)


def store_facts(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return ``instance_dim`` and ``instance_store`` of a store, from its metadata alone."""
    if isinstance(source, Mapping):
        return dict(instance_dim=source.get("dim", 16), instance_store=dict(source))
    return dict(instance_dim=int(read_store_metadata(source)["dim"]), instance_store=str(source))


def class_table(labels: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Return the images sorted by class, int64 (N,), and where each class starts, int64 (C + 1,)."""
    order = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels, minlength=num_classes)
    return order, torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def image_identity(dataset: ImageSet) -> str | None:
    """Return a digest of which files a set is of, whatever size they are read at; None if not of files."""
    return dataset.source_digest()
