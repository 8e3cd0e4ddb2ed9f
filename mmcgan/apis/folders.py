"""Evaluate images that are there already: two folders, no model."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log

from mmcgan.class_names import Classes, matching
from mmcgan.evaluation.any_size import batches_of
from mmcgan.evaluation.image_source import open_images
from mmcgan.evaluation.overlap import prefetch
from mmcgan.evaluation.report.metric_names import asks_for_suite, metric_configs
from mmcgan.evaluation.report.report import environment
from mmcgan.extractors.names import extractor_config
from mmcgan.output_paths import check_output
from mmcgan.progress import progress_bar
from mmcgan.registry import EVALUATOR, EXTRACTORS
from mmcgan.structures import Condition


def evaluate_folders(
    real: str | Path,
    fake: str | Path,
    extractor: str | Mapping[str, Any],
    metrics: Sequence[str] = ("fid",),
    *,
    labelled: bool = False,
    image_size: int | None = None,
    any_size: bool = False,
    on_error: str = "stop",
    batch_size: int = 64,
    reference: str | None = None,
) -> dict[str, Any]:
    """Return the report of comparing the images in ``fake`` with those in ``real``.

    Args:
        real, fake: folders of image files, or packed data sets.
        extractor: a short name (see :func:`~mmcgan.extractors.names.extractor_config`) or a config.
        metrics: short names, see :func:`~mmcgan.evaluation.report.metric_names.metric_names`; or ``all``.
        labelled: the direct subfolders are classes, of the same names in both.
        image_size: crop and resize images to this; None takes squares of one size as they are.
        any_size: take images of any sizes and shapes: the extractor resizes each whole, without a crop.
        on_error: ``stop`` at an unreadable image, or ``skip`` and list it in the report, which always says
            how many images were found and read, and what was left out and why.
        batch_size: images per extractor pass.
        reference: file of statistics of the real images, used if it is there (and belongs to them) and
            made otherwise; None computes them anew.

    Raises:
        FileNotFoundError: a folder, or the extractor's weights, are missing.
        ValueError: an unknown name, other classes in ``fake``, unusable images or sets of another size.
    """
    _check_options(batch_size, reference)
    configs = metric_configs(metrics)
    network = EXTRACTORS.build(dict(extractor_config(extractor) if isinstance(extractor, str) else extractor))
    read = partial(open_images, labelled=labelled, image_size=image_size, any_size=any_size)
    sources = {side: read(path, on_error=on_error) for side, path in (("real", real), ("fake", fake))}
    real_set, fake_set = sources["real"].dataset, sources["fake"].dataset
    _check_classes(real_set, fake_set, Path(real), Path(fake))
    warnings = [*_same_folder(Path(real), Path(fake)), *_size_warnings(real_set, fake_set)]
    against = dict(dataset=real_set, batch_size=batch_size, path=reference, keep=False)
    settings = dict(metrics=configs, extractor=network, reference=against)
    settings["leave_out_impossible"] = asks_for_suite(metrics)
    evaluator = EVALUATOR.build(dict(type="GenerationEvaluator", **settings))
    counted = {key: fake_set.metainfo[key] for key in ("size", "num_classes", "image_size")}
    evaluator.dataset_meta = {"folder": str(fake), **counted, "classes": fake_set.classes}
    _feed(evaluator, fake_set, batch_size)
    evaluator.evaluate(len(fake_set))
    return {
        "real": str(real),
        "fake": str(fake),
        "image_size": {"real": real_set.image_size, "fake": fake_set.image_size},
        "images": {side: source.counts() for side, source in sources.items()},
        "left_out": {side: source.left_out for side, source in sources.items()},
        "warnings": warnings,
        "batch_size": batch_size,
        "packages": environment(),
        **evaluator.report(),
    }


def _check_options(batch_size: int, reference: str | None) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if reference is not None:
        check_output(reference, "reference", () if Path(reference).is_file() else (".safetensors",))


def _same_folder(real: Path, fake: Path) -> list[str]:
    """Say if the images are compared with themselves."""
    if not os.path.samefile(real, fake):
        return []
    message = f"{real} and {fake} are one folder: its images are compared with themselves"
    print_log(message, logger="current", level=logging.WARNING)
    return [message]


def _size_warnings(real: Any, fake: Any) -> list[str]:
    """Say, where images of both sides have another size, what that does to figures."""
    if real.image_size == fake.image_size:
        return []
    if not (real.image_size and fake.image_size):
        return ["images of one side have any size: what resizing does to them is part of every figure"]
    message = (
        f"real images have {real.image_size} pixels a side, those to judge {fake.image_size}: what resizing "
        "does to them is part of every figure; compare images of one size (--image-size)"
    )
    print_log(message, logger="current", level=logging.WARNING)
    return [message]


def _check_classes(real: Any, fake: Any, real_root: Path, fake_root: Path) -> None:
    """Refuse labels that mean different things on the two sides."""
    sides = ((fake, fake_root), (real, real_root))
    judged, reference = (
        Classes(str(root), None if side.classes is None else len(side.classes), side.classes or ())
        for side, root in sides
    )
    matching(judged, reference)


def _batches(dataset: Any, batch_size: int) -> Iterator[dict[str, torch.Tensor]]:
    for rows in batches_of(dataset, range(len(dataset)), batch_size):
        yield dataset.__getitems__(rows)


def _feed(evaluator: Any, dataset: Any, batch_size: int) -> None:
    """Pass all images through the evaluator; files are decoded by a thread meanwhile."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    total = len(batches_of(dataset, range(len(dataset)), batch_size))
    with progress_bar("Images to evaluate", total) as advance:
        for batch in prefetch(_batches(dataset, batch_size)):
            condition = Condition(label=batch.get("label"))
            evaluator.process([{"image": batch["image"].to(device), "condition": condition}])
            advance()
