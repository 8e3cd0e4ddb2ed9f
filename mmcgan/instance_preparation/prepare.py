"""Making an instance store in steps that can be interrupted at any moment and shared between ranks.

Work is done in ``STORE.partial``, which gets its final name at the end. Arrays are allocated at once; a
block of rows is written and made durable before its marker file ``done/<step>-<block>`` appears, so
that a block without a marker is simply done again. Blocks are the same for any number of ranks, which take
them in turn: results do not depend on how many there were.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmcgan.checkpoints.atomic import put_in_place, write_file
from mmcgan.checkpoints.seal import STORE, seal
from mmcgan.datasets.base import ImageDataset
from mmcgan.extractors.base import Extractor
from mmcgan.instance_preparation.features import (
    PROBE_IMAGES,
    choose_precision,
    extract_block,
    read_images,
    warn_if_slow,
)
from mmcgan.instance_preparation.options import Options, check_sizes
from mmcgan.instance_preparation.plan import is_done, make_plan
from mmcgan.instance_preparation.unfinished import adopt, differs_in_images_only, finish_adoption
from mmcgan.instance_preparation.workshop import DONE, Advance, Workshop
from mmcgan.instances.arrays import RowArray, allocate, write_rows
from mmcgan.instances.kmeans import kmeans, select_instances
from mmcgan.instances.neighbours import NeighbourSearch
from mmcgan.instances.store import InstanceStore, class_table, image_identity
from mmcgan.instances.store_metadata import FORMAT, METADATA, sealed_text
from mmcgan.progress import progress_bar
from mmcgan.registry import EXTRACTORS
from mmcgan.text_files import content_of, read_json
from mmcgan.version import __version__

PLAN = "plan.json"
CHUNKS = "chunks.json"
KMEANS_ITERATIONS = 25


def prepare_instances(
    dataset: ImageDataset,
    extractor: dict[str, Any],
    out: str | Path,
    options: Options | None = None,
    network: Extractor | None = None,
) -> InstanceStore:
    """Make the instance store ``out``, or go on with an unfinished one, and return it.

    Args:
        dataset: the images.
        extractor: config of the extractor, without ``precision``.
        out: folder to make.
        options: what it is to hold.
        network: the extractor of this config, where it is built already; it computes in the precision of
            the store afterwards.

    Raises:
        FileExistsError: ``out`` is something else, or holds other content than asked for.
        ValueError: k or the number of k-means instances do not fit the number of images, or a feature is not
            finite.
        BadImageError: an image cannot be read.
    """
    options = options or Options()
    out = Path(out)
    check_sizes(dataset, options)
    network = EXTRACTORS.build(dict(extractor)) if network is None else network
    plan = make_plan(dataset, network, options)
    if is_done(out, plan):
        return InstanceStore(out)
    job = _Job(out, dataset, extractor, network, options)
    job.open(plan)
    if not (job.folder / METADATA).is_file():
        job.extract()
        job.search()
        job.select()
    job.finish()
    return InstanceStore(out)


class _Job:
    """One store in the making."""

    def __init__(
        self,
        out: Path,
        dataset: ImageDataset,
        extractor: dict[str, Any],
        network: Extractor,
        options: Options,
    ) -> None:
        self.out = out
        self.dataset = dataset
        self.extractor = extractor
        self.network = network
        self.options = options
        self.size = len(dataset)
        self.workshop = Workshop(out, self.size)
        self.folder = self.workshop.folder
        self.setup: dict[str, Any] = {}

    # --- blocks -------------------------------------------------------------------------------

    def open(self, plan: dict[str, Any]) -> None:
        """Make the folder, or go on with what a run with the same plan left, as far as the images fit."""
        path = self.folder / PLAN
        if self.workshop.rank == 0:
            finish_adoption(self.folder)
            if path.is_file():
                self._go_on(_read_setup(path), plan)
            elif not self._is_ours():
                raise FileExistsError(f"{self.folder} exists and was not made by this command; remove it")
            else:
                self._start(plan)
        self.workshop.wait(path)
        self.setup = self._settled_setup(path, plan)

    def _go_on(self, setup: dict[str, Any], plan: dict[str, Any]) -> None:
        """Check the plan of an unfinished store; of images that changed, keep what is of the same ones."""
        if setup["plan"] == plan:
            return
        blocks = {
            self.workshop.marker("features", start).relative_to(self.folder): self.workshop.block(start)
            for start in range(0, self.size, self.workshop.block_images)
        }
        kept = (
            self.dataset.part_digest(range(0)) is not None
            and differs_in_images_only(setup["plan"], plan)
            and adopt(
                self.folder,
                self._feature_files(),
                blocks,
                lambda rows: self.dataset.part_digest(rows) or "",
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
        found: dict[str, Any] = {}

        def is_written() -> bool:
            with suppress(FileNotFoundError):  # it is just being replaced
                found.update(_read_setup(path))
            if found and (self.workshop.rank == 0 or not differs_in_images_only(found["plan"], plan)):
                _require_same(self.folder, found, plan)
            return found.get("plan") == plan

        self.workshop.wait_until(is_written, path.name)
        return found

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
        precision = choose_precision(self.network, image, self.options.precision)
        self.network.precision = precision
        dim = int(self.network(image[:1]).features.flatten(1).shape[1])
        self._allocate(self.folder, dict(plan=plan, precision=precision, dim=dim))

    def _allocate(self, folder: Path, setup: dict[str, Any]) -> None:
        """Make the arrays in ``folder`` and, last, write the setup."""
        (folder / DONE).mkdir(parents=True)
        for name in self._feature_files():
            allocate(folder / name, (self.size, setup["dim"]), "<f4")
        allocate(folder / "neighbours.npy", (self.size, self.options.k), "<i4")
        allocate(folder / "radius.npy", (self.size,), "<f4")
        write_file(folder / PLAN, json.dumps(setup))

    def _feature_files(self) -> list[str]:
        return ["features.npy", "flipped.npy"] if self.options.flip else ["features.npy"]

    # --- steps --------------------------------------------------------------------------------

    def extract(self) -> None:
        """Write the features."""
        warn_if_slow(self.setup["precision"], self.folder)
        self.network.precision = self.setup["precision"]

        def do(start: int, stop: int, pace: Advance) -> str:
            found = extract_block(self.network, self.dataset, start, stop, self.options.flip)
            for name, rows in zip(self._feature_files(), found, strict=True):
                write_rows(self.folder / name, start, rows)
            return self.dataset.part_digest(range(start, stop)) or ""

        self.workshop.run("features", self.workshop.block_images, "Features", do)

    def search(self) -> None:
        """Write the neighbours."""
        table = RowArray(self.folder / "features.npy")
        path = self.folder / CHUNKS
        searcher = NeighbourSearch(table, self.options.k, self.options.working_memory())
        if self.workshop.rank == 0 and not path.is_file():
            write_file(path, json.dumps(dict(rows=searcher.chunk_rows(self.workshop.world_size))))
        self.workshop.wait(path)

        def do(start: int, stop: int, pace: Advance) -> None:
            done = 0

            def advance(similarities: int) -> None:
                nonlocal done
                done += similarities
                pace(done / (self.size * (stop - start)))

            found = searcher.search(start, stop, advance)
            write_rows(self.folder / "neighbours.npy", start, found.index)
            write_rows(self.folder / "radius.npy", start, found.radius)

        self.workshop.run("neighbours", _read_rows(path), "Neighbours", do)

    def select(self) -> None:
        """Write the k-means instances; the first rank does it."""
        if not self.options.kmeans:
            return
        path = self.folder / "selected.npy"
        if self.workshop.rank == 0 and not path.is_file():
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
            self.workshop.save("selected.npy", select_instances(table, found.centroids))
        self.workshop.wait(path)

    def finish(self) -> None:
        """Write the labels and the metadata, and give the folder its final name."""
        if self.workshop.rank == 0 and not (self.folder / METADATA).is_file():
            num_classes = int(self.dataset.metainfo["num_classes"])
            labels = self.dataset.labels
            if labels is not None:
                order, starts = class_table(labels, num_classes)
                for name, values in (("labels", labels), ("class_order", order), ("class_starts", starts)):
                    self.workshop.save(f"{name}.npy", values)
            write_file(self.folder / METADATA, json.dumps(self._metadata(num_classes), indent=1))
        self.workshop.gather()
        if self.workshop.rank == 0:
            shutil.rmtree(self.folder / DONE, ignore_errors=True)
            for name in (PLAN, CHUNKS):
                (self.folder / name).unlink(missing_ok=True)
            if self.out.is_dir():
                self.out.rmdir()  # it is empty
            put_in_place(self.folder, self.out)
        self.workshop.wait(self.out / METADATA)

    def _metadata(self, num_classes: int) -> dict[str, Any]:
        files = {path.name: dict(bytes=path.stat().st_size) for path in sorted(self.folder.glob("*.npy"))}
        described = {**self.setup["plan"]["extractor"], "precision": self.setup["precision"]}
        config = {**self.extractor, "precision": self.setup["precision"]}
        return dict(
            format=FORMAT,
            seal=seal(STORE, sealed_text(config)),
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


def _require_same(folder: Path, setup: dict[str, Any], plan: dict[str, Any]) -> None:
    if setup["plan"] != plan:
        raise FileExistsError(f"{folder} is the unfinished store of something else; remove it")
