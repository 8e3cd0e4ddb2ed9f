"""Sets of the Hugging Face Hub, and folders of parquet files, through their library ``datasets``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcgan.checkpoints.hashing import contents_hash, text_hash
from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.datasets.decoded import DecodedDataset
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.label_column import labels_of
from mmcgan.file_identity import files_digest, remembered
from mmcgan.image_files import EncodedImage
from mmcgan.progress import progress_bar
from mmcgan.registry import DATASETS
from mmcgan.text_files import printable

BLOCK_ROWS = 1024


@DATASETS.register_module()
class HFDataset(DecodedDataset):
    """A set of the Hugging Face Hub, or a folder of parquet files as the Hub has them.

    The set is downloaded and converted once, into the library's cache (``$HF_HOME``). Programs that come with
    a set are never run: the library that is asked for has no way to. A row's image must be in the table, or
    in a file of the folder or of that cache: the column has images as the library writes them, their bytes,
    or texts that name files.

    Args:
        path: ``user/set`` of the Hub, or a folder that is here.
        image_size: height and width of what comes out.
        split: such as ``train``.
        image: name of the column of images.
        label: name of the column of classes: numbers with names in the set's features, texts, or numbers from
            0 on; None for no labels.
        subset: of sets that have several, its name.
        revision: of the Hub: commit, branch or tag; fix a commit for runs that others should repeat.
        streaming: keep nothing on the disk; the first ``size`` rows are fetched into memory, encoded, at the
            start.
        size: take the first rows only; needed for ``streaming``.
        fit, interpolation: see :class:`~mmcgan.datasets.decode.ImageReader`.
        in_memory: decode everything at the start and keep it.
        pipeline: mmcv transforms.

    Raises:
        ImportError: ``datasets`` is not installed; names the extra.
        FileNotFoundError: there is no such set.
        ValueError: no such split or column (the message has those that there are), labels that are none, or
            no rows.
        BadImageError: an unreadable image, when it is decoded; texts of which the first names no file.
    """

    # in other people's configs it becomes a folder of theirs, so that they do not decide what is downloaded
    disk_arguments = ("path",)

    def __init__(
        self,
        path: str,
        image_size: int,
        split: str = "train",
        image: str = "image",
        label: str | None = None,
        subset: str | None = None,
        revision: str | None = None,
        streaming: bool = False,
        size: int | None = None,
        fit: str = "crop_long_side",
        interpolation: str = "bilinear",
        in_memory: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        reader = ImageReader(image_size, fit, interpolation)
        check_size(size, streaming)
        # before the table is opened: what is written meanwhile is not what was read
        self.origin = files_digest(tables_of(path))
        table = open_table(path, split, subset, revision, streaming)
        self.called = f"{printable(path)} ({split})"
        check_columns(table.features, image, label, self.called)
        self.path, self.split, self.column = path, split, image
        self.places = [os.path.realpath(path)] if os.path.isdir(path) else cache_folders()
        names: Sequence[str] | None = None
        numbers = None
        if streaming:
            assert size is not None
            rows = _first_rows(table, size, image)
            self.rows: list[Mapping[str, Any]] | None = [row[image] for row in rows]
            found = [row[label] for row in rows] if label else None
        else:
            table = table if size is None else table.select(range(min(size, len(table))))
            self.rows, found = None, table.data.column(label).to_pylist() if label else None
        if label is not None and found is not None:
            numbers, names = labels_of(found, table.features[label], f"{self.called}.{label}")
        # of the images only their bytes: decoding is ours
        self.table = None if streaming else table.select_columns([image]).with_format("arrow")
        count = len(self.rows) if self.rows is not None else len(table)
        if not count:
            raise ValueError(f"{self.called}: has no rows")
        super().__init__(reader, count, numbers, names, in_memory, pipeline)
        first = self.source(0) if is_text(table.features[image]) else None
        if isinstance(first, str) and not os.path.isfile(first):
            raise BadImageError(
                f"{self.called}: image 0: its column {image} has texts, and there is no {first}"
            )

    def source(self, index: int) -> EncodedImage | str:
        """Return the bytes of image ``index``, or its file.

        Raises:
            BadImageError: it is in neither.
        """
        if self.rows is not None:
            stored: Any = self.rows[index]
        else:
            assert self.table is not None
            stored = self.table[index].column(0)[0].as_py()
        name = f"{self.called}: image {index}"
        if not isinstance(stored, Mapping):
            stored = {"bytes" if isinstance(stored, bytes) else "path": stored}
        if stored.get("bytes") is not None:
            return EncodedImage(name, stored["bytes"])
        file = stored.get("path")
        if not isinstance(file, str) or "://" in file or "\0" in file:
            raise BadImageError(f"{name}: neither bytes nor a file")
        # a relative one is of the folder
        real = os.path.realpath(os.path.join(self.places[0], file))
        if not any(os.path.commonpath([place, real]) == place for place in self.places):
            raise BadImageError(f"{name}: its file {printable(file)} is outside the set's folder")
        return real

    def fingerprint(self) -> str:
        """Return a digest of all stored images, the labels and how they are read."""
        parts = (self.settings_digest(), self.reader, self._contents())
        return text_hash(repr(parts))

    def source_digest(self) -> str:
        """Return a digest of all stored images and the labels."""
        return text_hash(repr((self.classes, self._contents())), self.labels)

    def part_digest(self, rows: Sequence[int]) -> str:
        """Return a digest of some of the stored images."""
        return self._digest(rows)

    def _contents(self) -> str:
        """Return a digest of all stored images; they are read once while table and files stay as they are."""
        if self.table is None:
            return self._digest(range(self.size))
        known: tuple[Any, ...] = ("HFDataset", self.table._fingerprint, self.column, self.size)
        files = self._files()
        known += (self.origin, *([files_digest(files)] if files else []))
        quick = repr(known)
        return remembered(text_hash(quick), lambda: self._digest(range(self.size)))

    def _files(self) -> list[str]:
        """Return the files of the rows that name one in place of the bytes of their image."""
        assert self.table is not None
        found: list[str] = []
        for start in range(0, self.size, BLOCK_ROWS):
            stored = self.table[start : min(start + BLOCK_ROWS, self.size)].column(0)
            column = stored.combine_chunks()
            if is_text(self.table.features[self.column]):  # each names a file
                outside = np.ones(len(column), bool)
            elif is_bytes(self.table.features[self.column]):
                outside = np.zeros(len(column), bool)
            else:
                outside = column.field("bytes").is_null().to_numpy(zero_copy_only=False)
            sources = [self.source(start + int(row)) for row in outside.nonzero()[0]]
            found += [source for source in sources if isinstance(source, str)]
        return found

    def _digest(self, rows: Sequence[int]) -> str:
        def contents() -> Iterator[bytes]:
            with progress_bar("Comparing images by content", len(rows)) as advance:
                for row in rows:
                    source = self.source(row)
                    yield source.content if isinstance(source, EncodedImage) else Path(source).read_bytes()
                    advance()

        return contents_hash(contents())

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the class count, image size and images per class; a set of the Hub is downloaded for it."""
        known = cls(**{**vars(given), "in_memory": False, "pipeline": ()}).metainfo
        return {name: known[name] for name in ("num_classes", "image_size", "class_counts")}


def library() -> Any:
    """Return the module ``datasets``, told to send no figures about its use.

    Raises:
        ImportError: it is not installed; names the extra.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            f'HFDataset needs {error.name or "datasets"}: python3 -m pip install "mmcgan[hub]"'
        ) from error
    if int(datasets.__version__.partition(".")[0]) < 4:
        raise ImportError(
            "HFDataset needs datasets 4 or later, which runs no programs of data sets, and there is "
            f'{datasets.__version__}: python3 -m pip install -U "mmcgan[hub]"'
        )
    return datasets


def cache_folders() -> list[str]:
    """Return where the libraries keep what they download."""
    config = library().config
    return [os.path.realpath(config.HF_DATASETS_CACHE), os.path.realpath(config.HF_CACHE_HOME)]


def tables_of(path: str) -> list[str]:
    """Return the parquet files of a folder, in order; none of a set of the Hub."""
    return sorted(map(str, Path(path).rglob("*.parquet"))) if os.path.isdir(path) else []


def open_table(
    path: str, split: str, subset: str | None, revision: str | None, streaming: bool = False
) -> Any:
    """Return a split of a set: a table, or with ``streaming`` what gives its rows one by one.

    Raises:
        see :class:`HFDataset`.
    """
    module = library()
    asked: dict[str, Any] = dict(split=split, streaming=streaming)
    if os.path.isdir(path):
        tables = tables_of(path)
        if not tables:
            raise FileNotFoundError(f"HFDataset: the folder {printable(path)} has no parquet files")
        if subset is not None or revision is not None:
            raise ValueError(f"HFDataset: {printable(path)} is a folder: subset and revision are for the Hub")
        asked |= dict(path="parquet", data_dir=os.path.abspath(path))
        # the library converts once for each path and modification time, whatever the files hold by now
        asked["cache_dir"] = os.path.join(
            module.config.HF_DATASETS_CACHE, "mmcgan", files_digest(tables)[:16]
        )
    elif path.count("/") > 1 or path.startswith((".", "/", "~")) or Path(path).is_file():
        raise FileNotFoundError(f"HFDataset: {printable(path)} is no folder, and no user/set of the Hub")
    else:
        asked |= dict(path=path, name=subset, revision=revision)
    try:
        return module.load_dataset(**asked)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"HFDataset: {printable(path)}: {_line(error)}") from error
    except (module.exceptions.DatasetsError, ConnectionError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"HFDataset: {printable(path)}: {_line(error)}") from error


def _line(error: BaseException) -> str:
    """Return what an error and the one behind it say, on one line."""
    behind = f" ({_line(error.__cause__)})" if error.__cause__ is not None else ""
    return " ".join(str(error).split())[:300] + behind


def check_size(size: int | None, streaming: bool) -> None:
    """Check that a size is one, and that there is one for ``streaming``.

    Raises:
        ValueError: it is not.
    """
    if size is None and streaming:
        raise ValueError("HFDataset: streaming=True needs size=, how many rows are kept in memory")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise ValueError(f"HFDataset: size must be a positive whole number, got {size!r}")


def check_columns(features: Any, image: str, label: str | None, called: str) -> None:
    """Check that the named columns are there, and that of images has some.

    Raises:
        ValueError: one is not; the message lists the columns and their kinds.
    """
    described = {name: _kind(feature) for name, feature in (features or {}).items()}
    listed = ", ".join(f"{name} ({kind})" for name, kind in described.items())
    for argument, name in (("image", image), ("label", label)):
        if name is not None and name not in described:
            raise ValueError(f"HFDataset: {called}: {argument}={name!r} is no column; it has {listed}")
    if described[image] not in ("images", "bytes") and not is_text(features[image]):
        raise ValueError(f"HFDataset: {called}: image={image!r} has {described[image]}; it has {listed}")


def is_text(feature: Any) -> bool:
    """Return whether a column has texts, which may name files."""
    return getattr(feature, "dtype", None) in ("string", "large_string")


def is_bytes(feature: Any) -> bool:
    """Return whether a column has bytes, which are of images."""
    return getattr(feature, "dtype", None) in ("binary", "large_binary")


def _kind(feature: Any) -> str:
    """Return what a column has, in words."""
    if isinstance(feature, dict) and "bytes" in feature:
        return "images"
    name = type(feature).__name__
    if name in ("Image", "ClassLabel"):
        return {"Image": "images", "ClassLabel": "classes"}[name]
    return "bytes" if is_bytes(feature) else str(getattr(feature, "dtype", name))


def _first_rows(table: Any, size: int, image: str) -> list[dict[str, Any]]:
    """Return the first rows of a stream, their images encoded."""
    module = library()
    if type(table.features[image]).__name__ == "Image":
        table = table.cast_column(image, module.Image(decode=False))
    rows = []
    with progress_bar("Fetching images", size) as advance:
        for row in table.take(size):
            rows.append(row)
            advance()
    return rows
