"""Statistics of the real images of every class, or of groups of classes, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mmcgan.checkpoints.atomic import write_file
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.evaluation.statistics.frechet import GaussianStatistics
from mmcgan.evaluation.statistics.groups import GroupMoments, class_groups
from mmcgan.evaluation.statistics.reference import Reference, check_statistics, require_identity
from mmcgan.text_files import content_of, parse_json

PER_CLASS, BY_FREQUENCY = "class", "frequency"
MEAN, COVARIANCE = "mean", "covariance"


def parse_groups(texts: Sequence[str], dataset: Any) -> dict[str, list[int]]:
    """Return labels by name of the group.

    Args:
        texts: ``NAME=0,1,7`` for each group; or ``class``, one group per class; or ``frequency``, many (at
            least 100 images), medium and few (at most 20).
        dataset: the labelled real images.

    Raises:
        ValueError: no labels, a malformed group, or a label that does not exist.
    """
    info = dataset.metainfo
    if not info["num_classes"]:
        raise ValueError("groups of classes need a labelled data set")
    if list(texts) == [BY_FREQUENCY]:
        return class_groups(info["class_counts"])
    if list(texts) == [PER_CLASS]:
        names = info["classes"] or [str(label) for label in range(info["num_classes"])]
        return {str(name): [label] for label, name in enumerate(names)}
    return dict(_parse_group(text, info["num_classes"]) for text in texts)


def _parse_group(text: str, num_classes: int) -> tuple[str, list[int]]:
    name, separator, listed = text.partition("=")
    try:
        labels = [int(part) for part in listed.split(",")]
    except ValueError as error:
        raise ValueError(
            f"group {text!r}: write NAME=0,1,7, or {PER_CLASS} or {BY_FREQUENCY} alone"
        ) from error
    bad = [label for label in labels if not 0 <= label < num_classes]
    if bad or not separator or not name:
        raise ValueError(f"group {text!r}: labels {bad} are outside 0..{num_classes - 1}")
    return name, labels


def grouped_statistics(
    reference: Reference, groups: Mapping[str, Sequence[int]]
) -> dict[str, GaussianStatistics]:
    """Return mean and covariance of the features of every group, over all ranks, from one pass.

    Raises:
        ValueError: images without labels, or a group with fewer than two images.
    """
    gathered = GroupMoments(groups)
    for output, label in reference.outputs("statistics of groups of real images"):
        if label is None:
            raise ValueError("groups of classes need a labelled data set")
        gathered.update(output.features, label)
    gathered.merge()
    small = [name for name, moments in gathered.moments.items() if moments.count < 2]
    if small:
        raise ValueError(f"groups with fewer than two images have no covariance: {', '.join(small[:5])}")
    return {name: moments.compute() for name, moments in gathered.moments.items()}


def save_grouped(
    path: Path,
    statistics: Mapping[str, GaussianStatistics],
    groups: Mapping[str, Sequence[int]],
    identity: Mapping[str, Any],
) -> None:
    """Write the statistics of all groups with what made them, atomically."""
    tensors = {}
    for name, entry in statistics.items():
        tensors[f"{name}/{MEAN}"] = entry.mean.cpu().contiguous()
        tensors[f"{name}/{COVARIANCE}"] = entry.covariance.cpu().contiguous()
    counts = {name: entry.count for name, entry in statistics.items()}
    facts = {"identity": identity, "groups": {k: list(v) for k, v in groups.items()}, "counts": counts}
    write_file(path, tensor_bytes(tensors, {key: json.dumps(value) for key, value in facts.items()}))


def load_grouped(
    path: Path, identity: Mapping[str, Any]
) -> tuple[dict[str, GaussianStatistics], dict[str, list[int]]]:
    """Return the statistics and the labels of every group, if they were made with ``identity``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a file of :func:`save_grouped`, or made with something else.
    """
    rebuild = f"Make it with mmcgan reference-stats CONFIG --groups ... --out {path}"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file. {rebuild}")
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            with content_of(path, "statistics of groups"):
                facts = {key: parse_json(texts[key], path, key) for key in ("identity", "groups", "counts")}
                found = {
                    name: GaussianStatistics(
                        file.get_tensor(f"{name}/{MEAN}"), file.get_tensor(f"{name}/{COVARIANCE}"), int(count)
                    )
                    for name, count in facts["counts"].items()
                }
                groups = {name: [int(label) for label in labels] for name, labels in facts["groups"].items()}
                made_of = dict(facts["identity"])
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{path}: not statistics of groups ({error}). {rebuild}") from error
    require_identity(made_of, identity, path, rebuild)
    for entry in found.values():
        check_statistics(entry.mean, entry.covariance, path)
    if found.keys() != groups.keys():
        raise ValueError(f"{path}: not statistics of groups (some are missing). {rebuild}")
    return found, groups
