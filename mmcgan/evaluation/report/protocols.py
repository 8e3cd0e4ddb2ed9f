"""The protocols behind published figures, by name and as data.

A figure compares with a published one only if all of this agrees: network, weights, resizing, which real
images, how many generated ones, and how often. ``docs/evaluation.md`` says which publication used which.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from mmcgan.config.components import parameters_of
from mmcgan.evaluation.report.metric_names import asks_for_suite, metric_configs
from mmcgan.registry import DATASETS
from mmcgan.suggestions import nearest

TRAINING, VALIDATION = ("train",), ("val", "test")


@dataclass(frozen=True)
class Protocol:
    """How figures of one family of publications are computed.

    Attributes:
        title: what it is, in a line.
        extractor: config of the extractor.
        metrics: configs of the metrics.
        splits: the real images, the first of these splits that the data set has.
        images: generated images; None takes as many as there are real ones.
        seeds: one evaluation for each.
        source: where the facts are from.
        note: what differs here.
    """

    title: str
    extractor: dict[str, Any]
    metrics: tuple[dict[str, Any], ...]
    splits: tuple[str, ...] = TRAINING
    images: int | None = 50_000
    seeds: tuple[int, ...] = (0,)
    source: str = ""
    note: str = ""


FID, PRDC = dict(type="FID"), dict(type="PRDC")
IS10 = dict(type="InceptionScore", splits=10)
IS_STUDIO = dict(type="InceptionScore", splits=1, remainder="spread", ddof=1)
STUDIO = dict(type="InceptionV3", normalization="half", output_bias=True)

PROTOCOLS: dict[str, Protocol] = {
    "biggan-mmgeneration": Protocol(
        "BigGAN/MMGeneration: whole training set, Tero's Inception, PIL bicubic",
        dict(type="TeroInception", resize="pil-bicubic-8bit"),
        (FID, IS10),
        source="MMGeneration's pages of BigGAN, SAGAN and SNGAN-proj",
    ),
    "studiogan-legacy": Protocol(
        "StudioGAN with its legacy resizer: torch bilinear, not antialiased",
        {**STUDIO, "resize": "legacy"},
        (FID, IS_STUDIO, PRDC),
        source="PyTorch-StudioGAN, src/metrics",
    ),
    "studiogan-clean": Protocol(
        "StudioGAN with its clean resizer: PIL bicubic in float",
        {**STUDIO, "resize": "pil-bicubic"},
        (FID, IS_STUDIO, PRDC),
        source="PyTorch-StudioGAN, src/utils/resize.py; Parmar et al. 2022",
    ),
    "studiogan-friendly": Protocol(
        "StudioGAN with its friendly resizer: PIL bilinear for the TensorFlow Inception",
        {**STUDIO, "resize": "pil-bilinear"},
        (FID, IS_STUDIO, PRDC),
        source="PyTorch-StudioGAN, src/utils/resize.py",
    ),
    "tf-2015": Protocol(
        "TensorFlow Inception of 2015: 50,000 generated against all training images",
        dict(type="InceptionV3"),
        (FID, IS10),
        source="Heusel et al. 2017; Salimans et al. 2016; the Omni-GAN paper's CIFAR tables",
    ),
    "ic-gan": Protocol(
        "IC-GAN: 50,000 generated against the validation images, five seeds, mean ± sd",
        dict(type="InceptionV3"),
        (FID, IS10),
        splits=VALIDATION,
        seeds=(0, 1, 2, 3, 4),
        source="Casanova et al. 2021, section 3.1",
    ),
    "reacgan": Protocol(
        "ReACGAN: as many generated images as the validation (else test) split has, three seeds",
        {**STUDIO, "resize": "legacy"},
        (FID, IS_STUDIO, PRDC),
        splits=VALIDATION,
        images=None,
        seeds=(0, 1, 2),
        source="Kang et al. 2021, section 4 and appendix I",
        note="The seeds there are three trainings; here they are three draws of one checkpoint.",
    ),
}


def find_protocol(name: str) -> Protocol:
    """Return a protocol.

    Raises:
        ValueError: no such name; suggests others.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"no protocol {name!r}.{nearest(name, list(PROTOCOLS))}")
    return PROTOCOLS[name]


def apply_protocol(config: MutableMapping[str, Any], name: str, where: str = "test") -> Protocol:
    """Let the evaluation ``where`` of a config follow the protocol ``name``, in place; return it.

    The real images are the config's own data set at the protocol's split.

    Raises:
        ValueError: an unknown protocol, an evaluation without reference images, or a data set that has none
            of the protocol's splits.
    """
    protocol = find_protocol(name)
    evaluator, loader = config[f"{where}_evaluator"], config[f"{where}_dataloader"]
    reference = evaluator.get("reference")
    if not reference:
        raise ValueError(f"protocol {name!r} compares with real images, {where}_evaluator names no reference")
    dataset, count = _at_split(dict(reference["dataset"]), protocol, name)
    evaluator["extractor"] = dict(protocol.extractor)
    evaluator["metrics"] = [dict(metric) for metric in protocol.metrics]
    evaluator["reference"] = {"dataset": dataset, "batch_size": reference.get("batch_size", 256)}
    loader["dataset"]["size"] = protocol.images or count
    return protocol


def _at_split(dataset: dict[str, Any], protocol: Protocol, name: str) -> tuple[dict[str, Any], int]:
    """Return the data set's config at the first split that it has, and its number of images."""
    if "split" not in dataset:
        return dataset, len(DATASETS.build(dict(dataset)))
    problems = []
    for split in protocol.splits:
        try:
            built = DATASETS.build({**dataset, "split": split})
        except ValueError as error:
            problems.append(str(error))
        else:
            return {**dataset, "split": split}, len(built)
    raise ValueError(
        f"protocol {name!r} needs the split {' or '.join(protocol.splits)}: {'; '.join(problems)}"
    )


def override(
    config: MutableMapping[str, Any],
    *,
    metrics: list[str] | None = None,
    extractor: dict[str, Any] | None = None,
    images: int | None = None,
    real_split: str | None = None,
    where: str = "test",
) -> None:
    """Replace metrics, extractor, real images or the number of images of a config's evaluation, in place.

    Args:
        config: a loaded config.
        metrics: short names; ``all`` takes the whole suite, and says of what is impossible why.
        extractor: its config.
        images: how many to generate.
        real_split: of the data set whose images are the reference.
        where: ``test`` or ``val``.

    Raises:
        ValueError: an unknown metric, fewer than one image, or no such split.
    """
    evaluator, dataset = config[f"{where}_evaluator"], config[f"{where}_dataloader"]["dataset"]
    if images is not None:
        if images < 1:
            raise ValueError(f"the number of images must be at least 1, got {images}")
        dataset["size"] = images
    if real_split is not None:
        _take_split(evaluator, real_split)
    if extractor is not None:
        evaluator["extractor"] = extractor
    if metrics is not None:
        evaluator["metrics"] = metric_configs(metrics)
        if asks_for_suite(metrics):
            evaluator["leave_out_impossible"] = True


def _take_split(evaluator: MutableMapping[str, Any], split: str) -> None:
    """Compare with another split of the data set; a file of statistics belongs to the one before.

    Raises:
        ValueError: no reference, a data set without splits, or one without this split.
    """
    reference = evaluator.get("reference") or {}
    dataset = reference.get("dataset")
    if dataset is None:
        raise ValueError(f"the real split {split!r}: the evaluation compares with no real images")
    kind = DATASETS.require(dataset["type"])
    if "split" not in (parameters_of(kind) or {}):
        raise ValueError(f"the real split {split!r}: {dataset['type']} has no splits")
    DATASETS.build({**dataset, "split": split})
    evaluator["reference"] = {
        **{key: value for key, value in reference.items() if key != "path"},
        "dataset": {**dataset, "split": split},
    }
