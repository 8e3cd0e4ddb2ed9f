"""Making an instance store in steps that can be interrupted at any moment and shared between ranks.

Work is done in ``STORE.partial``, which gets its final name at the end. Arrays are allocated at once; a
block of rows is written and made durable before its marker file ``done/<step>-<block>`` appears, so
that a block without a marker is simply done again. Blocks are the same for any number of ranks, which take
them in turn: results do not depend on how many there were.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from mmengine.dist import get_dist_info
from torch import Tensor

from mmcgan.checkpoints.files import atomic_write
from mmcgan.checkpoints.seal import seal
from mmcgan.datasets.base import ImageDataset
from mmcgan.extractors.base import Extractor
from mmcgan.instance_preparation.features import (
    BLOCK_IMAGES,
    PROBE_IMAGES,
    choose_precision,
    extract_block,
    read_images,
    warn_if_slow,
)
from mmcgan.instance_preparation.options import Options, check_sizes
from mmcgan.instance_preparation.pace import Pace
from mmcgan.instance_preparation.plan import is_done, make_plan
from mmcgan.instance_preparation.unfinished import adopt, differs_in_images_only, finish_adoption
from mmcgan.instances.arrays import RowArray, allocate, write_rows
from mmcgan.instances.kmeans import kmeans, select_instances
from mmcgan.instances.neighbours import NeighbourSearch
from mmcgan.instances.store import (
    FORMAT,
    METADATA,
    InstanceStore,
    class_table,
    image_identity,
    sealed_text,
)
from mmcgan.progress import progress_bar
from mmcgan.registry import EXTRACTORS
from mmcgan.text_files import content_of, read_json
from mmcgan.version import __version__

PLAN = "plan.json"
DONE = "done"
CHUNKS = "chunks.json"
TICKS = 1000
KMEANS_ITERATIONS = 25
POLL_SECONDS = 0.2
# Without a new block in the folder for so long, whoever is waited for is taken to have died.
STALL_SECONDS = 3600.0
Advance = Callable[[float], None]


def prepare_instances(
    dataset: ImageDataset, extractor: dict[str, Any], out: str | Path, options: Options | None = None
) -> InstanceStore:
    """Make the instance store ``out``, or go on with an unfinished one, and return it.

    Args:
        dataset: the images.
        extractor: config of the extractor, without ``precision``.
        out: folder to make.
        options: what it is to hold.

    Raises:
        FileExistsError: ``out`` is something else, or holds other content than asked for.
        ValueError: k or the number of k-means instances do not fit the number of images, or a feature is not
            finite.
        BadImageError: an image cannot be read.
    """
    options = options or Options()
    out = Path(out)
    check_sizes(dataset, options)
    network: Extractor = EXTRACTORS.build(dict(extractor))
    plan = make_plan(dataset, network, options)
    if is_done(out, plan):
        return InstanceStore(out)
    job = _Job(out, dataset, extractor, options)
    job.open(plan)
    if not (job.folder / METADATA).is_file():
        job.extract()
        job.search()
        job.select()
    job.finish()
    return InstanceStore(out)


def _write_text(path: Path, text: str) -> None:
    def write(stream: BinaryIO) -> None:
        stream.write(text.encode())

    atomic_write(path, write)


class _Job:
    """One store in the making."""

    def __init__(self, out: Path, dataset: ImageDataset, extractor: dict[str, Any], options: Options) -> None:
        self.out = out
        self.folder = out.with_name(out.name + ".partial")
        self.dataset = dataset
        self.extractor = extractor
        self.options = options
        self.size = len(dataset)
        self.rank, self.world_size = get_dist_info()
        self.setup: dict[str, Any] = {}

    # --- blocks -------------------------------------------------------------------------------

    def open(self, plan: dict[str, Any]) -> None:
        """Make the folder, or go on with what a run with the same plan left, as far as the images fit."""
        path = self.folder / PLAN
        if self.rank == 0:
            finish_adoption(self.folder)
            if path.is_file():
                self._go_on(_read_setup(path), plan)
            elif not self._is_ours():
                raise FileExistsError(f"{self.folder} exists and was not made by this command; remove it")
            else:
                self._start(plan)
        self._wait(path)
        self.setup = self._settled_setup(path, plan)

    def _go_on(self, setup: dict[str, Any], plan: dict[str, Any]) -> None:
        """Check the plan of an unfinished store; of images that changed, keep what is of the same ones."""
        if setup["plan"] == plan:
            return
        digest = getattr(self.dataset, "part_digest", None)
        blocks = {
            self._marker("features", start).relative_to(self.folder): self._block(start)
            for start in range(0, self.size, BLOCK_IMAGES)
        }
        kept = (
            digest is not None
            and differs_in_images_only(setup["plan"], plan)
            and adopt(
                self.folder,
                self._feature_files(),
                blocks,
                digest,
                lambda folder: self._allocate(folder, {**setup, "plan": plan}),
            )
        )
        if not kept:
            raise FileExistsError(
                f"{self.folder} is the unfinished store of something else (other images, extractor or "
                "options); remove it or choose another folder"
            )

    def _settled_setup(self, path: Path, plan: dict[str, Any]) -> dict[str, Any]:
        """Return the setup with this plan; the first rank may be about to write it."""
        while True:
            with suppress(FileNotFoundError):  # it is just being replaced
                setup = _read_setup(path)
                if setup["plan"] == plan:
                    return setup
                if self.rank == 0 or not differs_in_images_only(setup["plan"], plan):
                    raise FileExistsError(
                        f"{self.folder} is the unfinished store of something else; remove it"
                    )
            time.sleep(POLL_SECONDS)

    def _is_ours(self) -> bool:
        """Return whether the folder, which has no plan, holds nothing but what was made before the plan."""
        if not self.folder.exists():
            return True
        ours = {"features.npy", "flipped.npy", "neighbours.npy", "radius.npy", DONE}
        return all(path.name in ours or path.suffix == ".tmp" for path in self.folder.iterdir())

    def _start(self, plan: dict[str, Any]) -> None:
        """Decide the precision, allocate the arrays and write the plan."""
        if self.folder.exists():
            shutil.rmtree(self.folder)  # stopped before its plan was written
        image = read_images(self.dataset, 0, min(PROBE_IMAGES, self.size))
        precision = choose_precision(self.extractor, image, self.options.precision)
        network = EXTRACTORS.build({**self.extractor, "precision": precision})
        dim = int(network(image[:1]).features.flatten(1).shape[1])
        self._allocate(self.folder, dict(plan=plan, precision=precision, dim=dim))

    def _allocate(self, folder: Path, setup: dict[str, Any]) -> None:
        """Make the arrays in ``folder`` and, last, write the setup."""
        (folder / DONE).mkdir(parents=True)
        for name in self._feature_files():
            allocate(folder / name, (self.size, setup["dim"]), "<f4")
        allocate(folder / "neighbours.npy", (self.size, self.options.k), "<i4")
        allocate(folder / "radius.npy", (self.size,), "<f4")
        _write_text(folder / PLAN, json.dumps(setup))

    def _block(self, start: int) -> range:
        return range(start, min(start + BLOCK_IMAGES, self.size))

    def _feature_files(self) -> list[str]:
        return ["features.npy", "flipped.npy"] if self.options.flip else ["features.npy"]

    def _marker(self, step: str, start: int) -> Path:
        return self.folder / DONE / f"{step}-{start:012d}"

    def _wait(self, *paths: Path) -> None:
        """Wait until all files are there, some of which other ranks write, or the store is finished.

        Raises:
            TimeoutError: nothing new has come for :data:`STALL_SECONDS`.
        """
        done = self.folder / DONE
        seen, since = -1.0, time.monotonic()
        for path in paths:
            while not path.exists() and not (self.out / METADATA).exists():
                changed = done.stat().st_mtime if done.exists() else 0.0
                if changed != seen:
                    seen, since = changed, time.monotonic()
                if time.monotonic() - since > STALL_SECONDS:
                    raise TimeoutError(
                        f"rank {self.rank} waits for {path.name}, which another rank is to write, and no "
                        f"block of {self.folder} was finished for {STALL_SECONDS:g} s: has that rank died? "
                        "What is done stays; the same command continues"
                    )
                time.sleep(POLL_SECONDS)

    def _run(self, step: str, length: int, what: str, do: Callable[[int, int, Advance], str | None]) -> None:
        """Do every block of a step that has no marker, this rank's share of them, and wait for the rest.

        ``do`` tells the function it is given how many of :data:`TICKS` it has done of its block, and returns
        what its marker says.
        """
        starts = list(range(0, self.size, length))
        markers = [self._marker(step, start) for start in starts]
        missing = [i for i in range(len(starts)) if not markers[i].exists()]
        # by number, not by what is missing: ranks do not look at the same moment
        mine = [i for i in missing if i % self.world_size == self.rank]
        ticks = max(1, TICKS // len(starts))
        with progress_bar(what, ticks * len(starts), ticks * (len(starts) - len(missing))) as advance:
            for i in mine:
                stop = min(starts[i] + length, self.size)
                pace = Pace(advance, ticks, self.world_size)
                _write_text(markers[i], do(starts[i], stop, pace) or "")
                pace(1.0)
            self._wait(*markers)

    # --- steps --------------------------------------------------------------------------------

    def extract(self) -> None:
        """Write the features."""
        warn_if_slow(self.setup["precision"], self.folder)
        network = EXTRACTORS.build({**self.extractor, "precision": self.setup["precision"]})

        digest = getattr(self.dataset, "part_digest", lambda rows: "")

        def do(start: int, stop: int, pace: Advance) -> str:
            found = extract_block(network, self.dataset, start, stop, self.options.flip)
            for name, rows in zip(self._feature_files(), found, strict=True):
                write_rows(self.folder / name, start, rows)
            return str(digest(range(start, stop)))

        self._run("features", BLOCK_IMAGES, "Features", do)

    def search(self) -> None:
        """Write the neighbours."""
        table = RowArray(self.folder / "features.npy")
        path = self.folder / CHUNKS
        searcher = NeighbourSearch(table, self.options.k, self.options.working_memory())
        if self.rank == 0 and not path.is_file():
            _write_text(path, json.dumps(dict(rows=searcher.chunk_rows(self.world_size))))
        self._wait(path)

        def do(start: int, stop: int, pace: Advance) -> None:
            done = 0

            def advance(similarities: int) -> None:
                nonlocal done
                done += similarities
                pace(done / (self.size * (stop - start)))

            found = searcher.search(start, stop, advance)
            write_rows(self.folder / "neighbours.npy", start, found.index)
            write_rows(self.folder / "radius.npy", start, found.radius)

        self._run("neighbours", _read_rows(path), "Neighbours", do)

    def select(self) -> None:
        """Write the k-means instances; the first rank does it."""
        if not self.options.kmeans:
            return
        path = self.folder / "selected.npy"
        if self.rank == 0 and not path.is_file():
            table = RowArray(self.folder / "features.npy")
            with progress_bar("k-means", KMEANS_ITERATIONS) as advance:
                found = kmeans(
                    table,
                    self.options.kmeans,
                    KMEANS_ITERATIONS,
                    self.options.seed,
                    self.options.working_memory(),
                    advance,
                )
            self._save("selected.npy", select_instances(table, found.centroids))
        self._wait(path)

    def _save(self, name: str, values: Tensor) -> None:
        atomic_write(self.folder / name, lambda f: np.save(f, values.numpy(), allow_pickle=False))

    def finish(self) -> None:
        """Write the labels and the metadata, and give the folder its final name."""
        if self.rank == 0 and not (self.folder / METADATA).is_file():
            num_classes = int(self.dataset.metainfo["num_classes"])
            labels = self.dataset.labels
            if labels is not None:
                order, starts = class_table(labels, num_classes)
                for name, values in (("labels", labels), ("class_order", order), ("class_starts", starts)):
                    self._save(f"{name}.npy", values)
            _write_text(self.folder / METADATA, json.dumps(self._metadata(num_classes), indent=1))
        self._gather()
        if self.rank == 0:
            shutil.rmtree(self.folder / DONE, ignore_errors=True)
            for name in (PLAN, CHUNKS):
                (self.folder / name).unlink(missing_ok=True)
            if self.out.is_dir():
                self.out.rmdir()  # it is empty
            os.replace(self.folder, self.out)
        self._wait(self.out / METADATA)

    def _gather(self) -> None:
        """Let the first rank wait for the others: a slow one may still read what it is about to move."""
        arrived = [self.folder / DONE / f"rank-{rank}" for rank in range(self.world_size)]
        _write_text(arrived[self.rank], "")
        if self.rank == 0:
            self._wait(*arrived)

    def _metadata(self, num_classes: int) -> dict[str, Any]:
        files = {path.name: dict(bytes=path.stat().st_size) for path in sorted(self.folder.glob("*.npy"))}
        described = {**self.setup["plan"]["extractor"], "precision": self.setup["precision"]}
        config = {**self.extractor, "precision": self.setup["precision"]}
        return dict(
            format=FORMAT,
            seal=seal(sealed_text(config)),
            plan=self.setup["plan"],
            command=self.options.command,
            size=self.size,
            dim=self.setup["dim"],
            k=self.options.k,
            flip=self.options.flip,
            kmeans=self.options.kmeans,
            num_classes=num_classes,
            classes=self.dataset.classes,
            zero_features=_count_zero(RowArray(self.folder / "features.npy")),
            dataset=dict(
                name=type(self.dataset).__name__,
                fingerprint=self.dataset.fingerprint(),
                files=image_identity(self.dataset),
                image_size=self.dataset.image_size,
            ),
            extractor=dict(config=config, describe=described),
            files=files,
            versions=dict(mmcgan=__version__, torch=torch.__version__, numpy=np.__version__),
        )


def _count_zero(table: RowArray) -> int:
    """Return how many rows are all zero: images of which the extractor sees nothing."""
    blocks = range(0, len(table), 8192)
    return sum(int((table.rows(slice(i, i + 8192)).abs().sum(1) == 0).sum()) for i in blocks)


def _read_setup(path: Path) -> dict[str, Any]:
    """Return the setup of an unfinished store, whose ``plan`` says what it is of."""
    what = "the plan of an unfinished instance store"
    setup: dict[str, Any] = read_json(path, what)
    with content_of(path, what):
        return {**setup, "plan": dict(setup["plan"])}


def _read_rows(path: Path) -> int:
    what = "the parts of a search for neighbours"
    with content_of(path, what):
        return int(read_json(path, what)["rows"])
