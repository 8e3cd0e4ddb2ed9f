"""Making a packed data set: shard by shard, so that a killed run goes on where it stopped.

Everything is written to ``OUT.partial``, which is renamed to ``OUT`` at the end. A shard counts
once its record ``images-00000.json`` exists; records are written after the shard and removed at
the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcgan.checkpoints.atomic import put_in_place, write_file
from mmcgan.datasets.base import GANDataset
from mmcgan.datasets.decode import BadImageError
from mmcgan.datasets.packing.forms import Arrays, Form, entry_of, save_array
from mmcgan.datasets.packing.packable import Packable
from mmcgan.datasets.packing.packed import LABELS, METADATA, read_metadata
from mmcgan.datasets.packing.shards import PLACES
from mmcgan.datasets.packing.tar_index import SHARDS_FORMAT, index_of
from mmcgan.parallel import ordered_map
from mmcgan.progress import progress_bar
from mmcgan.text_files import read_json

PLAN = "plan.json"
SKIPPED = "skipped.txt"


@dataclass(frozen=True)
class PackResult:
    """What packing left.

    Attributes:
        root: the packed folder.
        size: number of images in it.
        skipped: one line per image left out: the file and what is wrong with it.
    """

    root: Path
    size: int
    skipped: list[str]


def pack(
    dataset: GANDataset,
    out: str | Path,
    skip_bad: bool = False,
    shard_images: int | None = None,
    form: Form | None = None,
) -> PackResult:
    """Pack ``dataset`` into the folder ``out``, going on with what an earlier run left.

    Args:
        dataset: what to pack; its pipeline is applied. Of images and labels alone.
        out: the folder to make.
        skip_bad: leave unusable images out and list them in ``skipped.txt``, instead of stopping.
        shard_images: images per shard; by default as many as make 256 MB, or 4,096 in tar shards.
        form: what shards are; arrays by default.

    Raises:
        FileExistsError: ``out`` or ``out.partial`` holds something else.
        BadImageError: an image cannot be used, without ``skip_bad``; finished shards are kept.
        ValueError: its items have fields that a pack does not hold; nothing, or nothing of some class,
            is left after skipping.
    """
    out, packable = Path(out), Packable(dataset)
    form = form or Arrays()
    per_shard = shard_images or form.per_shard(packable.image_size)
    plan = dict(
        format=form.format,
        source=packable.fingerprint(),
        settings=_settings(packable) + form.settings(),
        size=len(packable),
        shard_images=per_shard,
    )
    if _is_done(out, plan):
        metadata = read_metadata(out, form.format)
        return PackResult(out, metadata["size"], metadata["skipped"])
    partial = _prepare(out, plan, packable)
    if not (partial / METADATA).is_file():
        records = _pack_shards(packable, partial, per_shard, skip_bad, form)
        _write_metadata(packable, partial, plan, records)
    return _finish(partial, out, form.format)


def _settings(dataset: Packable) -> str:
    """Return how images are read, whichever they are."""
    return repr((dataset.name, dataset.image_size, dataset.classes, dataset.reader))


def _is_done(out: Path, plan: dict[str, Any]) -> bool:
    """Return whether ``out`` is this very pack, finished; refuse to touch anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if (out / METADATA).is_file() and read_metadata(out, plan["format"]).get("plan") == plan:
        return True
    raise FileExistsError(f"{out} exists and is not this packed data set; choose another folder or remove it")


SHARD = "the record of a shard"


def _prepare(out: Path, plan: dict[str, Any], dataset: Packable) -> Path:
    """Return the folder to work in, new or left by an earlier run, as far as that is of the same images."""
    partial = out.with_name(out.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    found = partial / PLAN
    if found.is_file():
        before: dict[str, Any] = read_json(found, "the plan of a packed data set")
        if before != plan:
            if not _adopt(partial, before, plan, dataset):
                raise FileExistsError(
                    f"{partial} is the unfinished pack of something else (other images, size or options); "
                    "remove it or choose another folder"
                )
            write_file(found, json.dumps(plan))
    elif any(path.suffix != ".tmp" for path in partial.iterdir()):
        raise FileExistsError(f"{partial} exists and was not made by packing; remove it or choose another")
    else:
        write_file(found, json.dumps(plan))
    return partial


def _adopt(partial: Path, found: dict[str, Any], plan: dict[str, Any], dataset: Packable) -> bool:
    """Remove the records of shards whose images were changed since; False if no shard is left.

    So a run goes on after an image was repaired, removed or added.
    """
    settings = ("format", "settings", "shard_images")
    if any(found.get(key) != plan[key] for key in settings):
        return False
    records = sorted(partial.glob("images-*.json"))
    shards = _shards(len(dataset), plan["shard_images"])
    unfit = []
    for path in records:
        number = int(path.stem.rpartition("-")[2])
        rows = shards[number] if number < len(shards) else range(0)
        labels = None if dataset.labels is None else dataset.labels[rows.start : rows.stop].tolist()
        source = read_json(path, SHARD).get("source")
        if source != _source_of(dataset, rows, labels):
            unfit.append(path)
    if records and len(unfit) == len(records):
        return False
    for path in [*unfit, partial / METADATA]:
        path.unlink(missing_ok=True)
    return True


def _source_of(dataset: Packable, rows: range, labels: list[int] | None) -> list[Any] | None:
    """Return what a shard is of, None where only the whole set can tell."""
    digest = dataset.part_digest(rows) if rows else None
    return None if digest is None else [digest, labels]


def _shards(size: int, per_shard: int) -> list[range]:
    return [range(i, min(i + per_shard, size)) for i in range(0, size, per_shard)]


def _pack_shards(
    dataset: Packable, partial: Path, per_shard: int, skip_bad: bool, form: Form
) -> list[dict[str, Any]]:
    """Write the shards that have no record yet; return the records of all, in order."""
    shards = _shards(len(dataset), per_shard)
    paths = [partial / f"images-{number:05d}.json" for number in range(len(shards))]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    done = len(dataset) - sum(len(shards[number]) for number in missing)
    # a pipeline seeds the global generators, which threads share
    threads = None if dataset.pipeline is None else 1
    with progress_bar("Packing", len(dataset), done) as advance:
        for number in missing:
            shard = shards[number]
            read = ordered_map(lambda index: _try_read(form, dataset, index, advance), shard, threads)
            path = paths[number].with_suffix(form.suffix)
            record = _write_shard(dataset, path, shard, read, skip_bad, form)
            write_file(paths[number], json.dumps(record))
    return [read_json(path, SHARD) for path in paths]


def _try_read(form: Form, dataset: Packable, index: int, advance: Callable[[], None]) -> Any:
    try:
        return form.read(dataset, index)
    except BadImageError as error:
        return error
    finally:
        advance()


def _write_shard(
    dataset: Packable,
    path: Path,
    shard: range,
    read: Iterator[Any],
    skip_bad: bool,
    form: Form,
) -> dict[str, Any]:
    """Write the images of ``shard`` to ``path``; return its record."""
    items: list[Any] = []
    kept: list[int] = []
    skipped: list[str] = []
    for index, found in zip(shard, read, strict=True):
        if not isinstance(found, BadImageError):
            items.append(found)
            kept.append(index)
        elif skip_bad:
            skipped.append(str(found))
        else:
            raise BadImageError(f"{found}. Nothing is lost: repair it and run again, or add --skip-bad")
    form.write(path, items, kept, dataset)
    entry = dict(entry_of(path), images=len(kept))
    labels = None if dataset.labels is None else dataset.labels[kept].tolist()
    every = None if dataset.labels is None else dataset.labels[shard.start : shard.stop].tolist()
    return dict(entry=entry, labels=labels, skipped=skipped, source=_source_of(dataset, shard, every))


def _write_metadata(
    dataset: Packable, partial: Path, plan: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    """Write the labels, the list of what was skipped and, last, the metadata."""
    skipped = [line for record in records for line in record["skipped"]]
    labels = None
    if dataset.labels is not None:
        labels = np.array([label for record in records for label in record["labels"]], dtype=np.int64)
    size = sum(record["entry"]["images"] for record in records)
    counts = _class_counts(dataset, size, labels)
    if skipped:
        write_file(partial / SKIPPED, "\n".join(skipped) + "\n")
    if labels is not None:
        save_array(partial / LABELS, labels)
    if plan["format"] == SHARDS_FORMAT:
        _write_places(partial, records)
    metadata = dict(
        format=plan["format"],
        plan=plan,
        image_size=dataset.image_size,
        size=size,
        classes=dataset.classes,
        class_counts=counts,
        shards=[record["entry"] for record in records if record["entry"]["images"]],
        labels=None if labels is None else entry_of(partial / LABELS),
        skipped=skipped,
    )
    write_file(partial / METADATA, json.dumps(metadata, indent=1))


def _class_counts(dataset: Packable, size: int, labels: np.ndarray | None) -> list[int] | None:
    if not size:
        raise ValueError("every image was skipped: nothing is left to pack")
    if labels is None or dataset.classes is None:
        return None
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    if 0 in counts:
        name = dataset.classes[counts.index(0)]
        raise ValueError(f"every image of class {name!r} was skipped; remove the class or repair its images")
    return counts


def _write_places(partial: Path, records: list[dict[str, Any]]) -> None:
    """Write where each image lies in its shard."""
    found = [index_of(partial / entry["file"]) for entry in (r["entry"] for r in records) if entry["images"]]
    places = [np.stack([index.offsets, index.sizes], 1) for index in found]
    save_array(partial / PLACES, np.concatenate(places) if places else np.zeros((0, 2), np.int64))


def _finish(partial: Path, out: Path, kind: str) -> PackResult:
    """Remove what only served to go on, and give the folder its final name."""
    metadata = read_metadata(partial, kind)
    wanted = {METADATA, SKIPPED, LABELS, PLACES, *(entry["file"] for entry in metadata["shards"])}
    for path in partial.iterdir():
        if path.name not in wanted:
            path.unlink()
    put_in_place(partial, out)
    return PackResult(out, metadata["size"], metadata["skipped"])
