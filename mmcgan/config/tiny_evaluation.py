"""The evaluation of any config on a few images: the extractor, every metric, and the figures watched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor

from mmcgan.config.components import find_component, parameters_of
from mmcgan.config.relations import watched_figures
from mmcgan.datasets.base import GANDataset
from mmcgan.registry import DATASETS, EVALUATOR, EXTRACTORS, GENERATION_METRICS, METRICS

#: images generated, and real ones, at most; two of each class where so many classes are seen
IMAGES, CLASSES = 32, 16
#: arguments of metrics that ask for many images, and what they are here
TINY_METRICS = {"splits": 2, "subset_size": 8, "subsets": 2, "clusters": 4, "pairs": 4, "k": 3, "points": 3}
PHASES = ("val", "test")
#: a split with fewer images, of data sets that are read whole
SMALL_SPLIT = "test"


class EvaluationError(ValueError):
    """The evaluation of a config does not work."""


def evaluations_of(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return evaluator and data set of each evaluation by its key, equal ones once; copies."""
    found: dict[str, dict[str, Any]] = {}
    for phase in PHASES:
        evaluator, loader = config.get(f"{phase}_evaluator"), config.get(f"{phase}_dataloader") or {}
        if isinstance(evaluator, dict):
            both = {"evaluator": deepcopy(evaluator), "dataset": deepcopy(loader.get("dataset"))}
            if both not in found.values():
                found[f"{phase}_evaluator"] = both
    return found


def try_evaluation(
    place: str, evaluation: Mapping[str, Any], model: Any, dataset: GANDataset, config: Mapping[str, Any]
) -> None:
    """Evaluate a few images of ``model``, as a config asks for it; nothing is kept.

    Args:
        place: key of the evaluator, for messages.
        evaluation: from :func:`evaluations_of`.
        model: samples.
        dataset: of training, in place of real images that are not there.
        config: the whole, whose hooks watch figures.

    Raises:
        EvaluationError: names the extractor, the metric or the figure, and what is wrong with it.
    """
    settings = evaluation["evaluator"]
    extractor = _extractor(place, settings)
    if extractor is None:
        return
    batch, info = _asked(place, evaluation["dataset"], model)
    reference = settings.get("reference")
    if reference is not None:
        settings["reference"] = {"dataset": _real(place, reference, dataset), "keep": False}
    metrics = settings.get("metrics")
    for row in metrics if isinstance(metrics, list | tuple) else [metrics]:
        _shrink(row)
    with _naming(place):
        built = EVALUATOR.build({**settings, "extractor": extractor})
        built.dataset_meta = info
    parts = [built.metrics[i].shortage(IMAGES, IMAGES) for i in range(len(built.metrics))]
    if all(parts):
        return  # all of them need more images
    with _naming(place):
        built.process(model.val_step(batch))
        figures = built.evaluate(len(batch["latent"]))
    _check_rows(place, built, parts)
    _check_figures(place, built, figures, config)


def _extractor(place: str, settings: Mapping[str, Any]) -> Any:
    """Return the extractor, once it was tried; None for another kind of evaluator, or without its weights."""
    given = settings.get("extractor")
    if not isinstance(given, Mapping):
        return None
    try:
        extractor = EXTRACTORS.build(dict(given))
    except (FileNotFoundError, ImportError):
        return None  # to be downloaded or installed: said when the evaluation is built
    except Exception as error:  # foreign code
        raise EvaluationError(f"{place}.extractor: {_said(error)}") from error
    side = extractor.preprocessing.image_size
    image = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    try:
        output = extractor(image)
        problem = _wrong_output(extractor, output)
    except Exception as error:  # foreign code
        where = f"{place}.extractor ({type(extractor).__name__})"
        raise EvaluationError(f"{where}: {_said(error)}") from error
    if problem:
        raise EvaluationError(f"{place}.extractor ({type(extractor).__name__}): {problem}")
    return extractor


def _wrong_output(extractor: Any, output: Any) -> str:
    """Return what is wrong with the output for two images; empty if nothing is."""
    features, logits = tuple(output.features.shape), output.logits
    if features != (2, extractor.feature_dim):
        return f"features of two images are {features}, feature_dim is {extractor.feature_dim}"
    if not bool(output.features.isfinite().all()):
        return "features are NaN or infinite"
    classes = None if logits is None else logits.shape[1]
    if extractor.num_classes not in (None, classes):
        return f"it gives {classes or 'no'} logits, num_classes is {extractor.num_classes}"
    return ""


class _Some(GANDataset):
    """Some rows of a data set, as if they were all of it; what is known of the whole stays."""

    def __init__(self, source: Any, rows: Sequence[int]) -> None:
        self.whole, self.rows = source, list(rows)
        self.classes, self.groups, self.split = source.classes, source.groups, source.split
        self.labels = None if source.labels is None else source.labels[torch.tensor(self.rows)]

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the whole, and the number of rows."""
        return {**self.whole.metainfo, "size": len(self.rows)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return items of the whole."""
        found: dict[str, Tensor] = self.whole.__getitems__([self.rows[int(index)] for index in indices])
        return found


def _real(place: str, reference: Mapping[str, Any], stand_in: GANDataset) -> GANDataset:
    """Return a few real images: two of each of the first classes, or the first ones."""
    try:
        source = _small(reference["dataset"])
    except OSError:
        source = stand_in  # not on this machine
    except (ValueError, TypeError, KeyError) as error:
        raise EvaluationError(f"{place}.reference.dataset: {_said(error)}") from error
    rows: list[int] = list(range(min(IMAGES, len(source))))
    if source.labels is not None:
        known = source.labels.unique()[:CLASSES]
        rows = [row for label in known for row in (source.labels == label).nonzero().flatten()[:2].tolist()]
    return _Some(source, rows)


def _small(dataset: Mapping[str, Any]) -> Any:
    """Return the data set of a config, of its smaller split if it has one: read sooner, and as good here.

    Raises:
        Exception: whatever the data set says of the split that the config names.
    """
    kind = DATASETS.own(str(dataset.get("type")))
    if kind is not None and "split" in (parameters_of(kind) or {}):
        kind.facts(**{key: value for key, value in dataset.items() if key != "type"})  # may refuse the split
        with suppress(Exception):  # no such split, which nobody has asked for
            return DATASETS.build({**dataset, "split": SMALL_SPLIT})
    return DATASETS.build(dict(dataset))


def _asked(place: str, dataset: Any, model: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return latents and conditions as the evaluation asks for them, and what it says of them."""
    latent_dim = model.latent_sampler.latent_dim
    try:
        takes = parameters_of(find_component(dataset["type"], (DATASETS,)) or dict) or {}
        own = {"latent_dim": latent_dim, "size": IMAGES}
        built = DATASETS.build({**dataset, **{key: own[key] for key in own if key in takes}})
    except OSError:
        return _drawn(model)
    except (ValueError, TypeError, KeyError) as error:
        raise EvaluationError(
            f"{place.replace('evaluator', 'dataloader')}.dataset: {_said(error)}"
        ) from error
    count = min(IMAGES, len(built))
    batch, info = built.__getitems__(list(range(count))), {**built.metainfo, "size": count}
    if "label" in batch and info.get("num_classes", 0) > CLASSES:
        batch["label"] = torch.arange(count) % CLASSES
    return batch, info


def _drawn(model: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return latents and conditions as training draws them."""
    source = torch.Generator().manual_seed(0)
    condition = model.condition_sampler.sample(IMAGES, source)
    latent = model.latent_sampler.sample(IMAGES, source)
    info = {"size": IMAGES, "num_classes": model.condition_sampler.num_classes}
    return {"latent": latent, **condition.present()}, info


def _shrink(metric: Any) -> None:
    """Let a metric ask for few images, by arguments that it has."""
    if not isinstance(metric, dict):
        return
    component = find_component(metric.get("type"), (GENERATION_METRICS, METRICS))
    for name, parameter in (parameters_of(component) or {} if component else {}).items():
        given = metric.get(name, parameter.default)
        if name in TINY_METRICS and isinstance(given, int) and given > TINY_METRICS[name]:
            metric[name] = TINY_METRICS[name]


class _naming:
    """Say which evaluator it is that fails."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, Exception):
            raise EvaluationError(f"{self.place}: {_said(error)}") from error


def _check_rows(place: str, built: Any, shortages: Sequence[str | None]) -> None:
    """Refuse metrics that raised, those left out of so few images aside."""
    for number, (row, shortage) in enumerate(zip(built.report()["metrics"], shortages, strict=True)):
        if "error" in row and shortage is None:
            advice = f"tried on {IMAGES} images; a metric that needs more has least_generated and least_real"
            raise EvaluationError(f"{place}.metrics.{number} ({row['type']}): {row['error']} ({advice})")


def _check_figures(place: str, built: Any, figures: Mapping[str, float], config: Mapping[str, Any]) -> None:
    """Refuse figures that are no numbers or not declared, and hooks that watch one which is not there."""
    declared = [name for metric in built.metrics for name in metric.figures]
    closed = all(metric.figures for metric in built.metrics)
    for name, value in figures.items():
        plain = name.removeprefix(f"{built.prefix}/")
        if not isinstance(value, float | int) or not math.isfinite(value):
            raise EvaluationError(f"{place}.metrics: {name} is {value!r}, not a finite number")
        if closed and not any(fnmatchcase(plain, pattern) for pattern in declared):
            raise EvaluationError(f"{place}.metrics: {name!r} is returned and not among figures={declared}")
    left_out = any("error" in row for row in built.report()["metrics"])
    watched = () if left_out or not place.startswith("val") else watched_figures(config)
    for where, name in watched:
        if name not in figures:
            raise EvaluationError(f"{where}: watches {name!r}; the metrics give {', '.join(sorted(figures))}")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
