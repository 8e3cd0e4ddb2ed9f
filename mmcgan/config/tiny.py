"""Any config, shrunk until one training iteration takes a moment on a CPU."""

from __future__ import annotations

import io
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcgan.condition_fields import condition_field, field_names, told_fields
from mmcgan.config.components import parameters_of, walk
from mmcgan.config.facts import CONDITION_SAMPLERS, dataset_facts
from mmcgan.config.load import prepare_config, read_config
from mmcgan.config.locate import find_config
from mmcgan.config.notices import notices
from mmcgan.config.problems import ConfigError
from mmcgan.config.tiny_evaluation import SMALL_SPLIT, evaluations_of, try_evaluation
from mmcgan.contracts import declared, names
from mmcgan.engine.prepared import prepared_for
from mmcgan.models.step_options import StepOptions
from mmcgan.plugins import load_plugins
from mmcgan.registry import DATASETS, EXTRACTORS, LOSSES, REGULARIZERS, build_runner
from mmcgan.structures import height_and_width

# arguments that make things large, wherever a component has them
TINY = {"base_channels": 8, "max_channels": 8, "hidden_channels": 8, "rows": 1, "columns": 2}
# the same for what is listed stage by stage, in a component that has all three
TINY_STAGES = {"channels": 8, "groups": 2, "blocks": 1}
# half of it, which regularisers look at, is two images still: one alone has no variance
TINY_BATCH = 4
# updates and mini-batches of one iteration; more of them repeat what the first has shown
TINY_STEP = {"n_critic": 1, "d_accumulation": 1, "g_accumulation": 1}
# attention on larger maps is most of the time of a tiny step
LARGEST_ATTENDED = 32
# larger images are not read from disk, even where the data set is present
LARGEST_REAL_IMAGE = 32
UNKNOWN_SIZE, UNKNOWN_CLASSES, UNKNOWN_IMAGES = 32, 10, 64
#: where the evaluations are kept, which follow the tiny step
EVALUATIONS = "_evaluations"
#: and what has no effect in the config as it was
NOTICES = "_notices"
EVALUATION_KEYS = tuple(
    f"{phase}_{part}" for phase in ("val", "test") for part in ("cfg", "dataloader", "evaluator")
)


def load_tiny_config(path_or_name: str | Path) -> Config:
    """Return a validated config shrunk to one iteration; works where the data set is absent.

    Raises:
        FileNotFoundError: no such config.
        ConfigError: lists every problem.
    """
    load_plugins()
    config = read_config(find_config(path_or_name))
    content = config._cfg_dict
    _stand_in_if_unknown(content)
    _leave_out_unavailable_losses(content)
    _use_untrained_extractors(content)
    problems = prepare_config(config, {})
    if problems:
        raise ConfigError(str(path_or_name), problems)
    said = [str(notice) for notice in notices(content)]
    shrink(content)
    content[NOTICES] = said
    object.__setattr__(config, "_format_python_code", False)  # half of the time of a tiny run
    return config


def shrink(config: dict[str, Any]) -> None:
    """Make ``config`` small in place: channels, batch, data set, iterations, no evaluation."""
    for node in walk(config):
        parameters = parameters_of(node.component) if node.component is not None else None
        for name in set(TINY) & set(parameters or ()):
            node.config[name] = min(node.config.get(name) or TINY[name], TINY[name])
        if parameters and TINY_STAGES.keys() <= parameters.keys():
            for name, most in TINY_STAGES.items():
                given = node.config.get(name) or parameters[name].default
                node.config[name] = [min(value, most) for value in given]
        if parameters and "attention_resolutions" in parameters:
            _shrink_attention(node.config, parameters["attention_resolutions"].default)
    step = config["model"].get("step")
    if step:
        step.update({name: count for name, count in TINY_STEP.items() if name in step})
    _shrink_data(config)
    config["train_cfg"]["max_iters"] = 1
    config[EVALUATIONS] = evaluations_of(config)
    for key in EVALUATION_KEYS:
        config.pop(key, None)
    config["log_level"] = "ERROR"


def _shrink_attention(network: dict[str, Any], default: Sequence[int]) -> None:
    """Move self-attention of a large network to a smaller map; what lies outside stays where it is."""
    size = network.get("image_size") or 0
    places = network.get("attention_resolutions", default)
    if any(LARGEST_ATTENDED < place < size for place in places):
        network["attention_resolutions"] = sorted({min(place, LARGEST_ATTENDED) for place in places})


def _shrink_data(config: dict[str, Any]) -> None:
    loader = config["train_dataloader"]
    parts = StepOptions(**(config["model"].get("step") or {})).real_mini_batches
    loader["batch_size"] = parts * _least_batch(config, loader.get("batch_size", 1) // parts)
    loader["num_workers"] = 0
    loader["persistent_workers"] = False
    loader.pop("prefetch_factor", None)
    facts = dataset_facts(config)
    small = {**loader["dataset"], "split": SMALL_SPLIT}
    large = max(height_and_width(facts.get("image_size", 1))) > LARGEST_REAL_IMAGE
    if large and not _reads_nothing(loader["dataset"]):
        loader["dataset"] = _synthetic(facts, config)
    elif "split" in loader["dataset"] and _available(small, Exception):  # nobody has asked for it
        loader["dataset"] = small
    elif not _available(loader["dataset"], OSError):
        loader["dataset"] = _synthetic(facts, config)
    for sampler in filter(None, map(config["model"].get, CONDITION_SAMPLERS)):
        if "dataset" in sampler:  # conditions of real images
            sampler["dataset"] = dict(loader["dataset"])
    _adopt_size(config, facts.get("image_size"), dataset_facts(config).get("image_size"))


def _least_batch(config: Mapping[str, Any], most: int) -> int:
    """Return a batch of which those regularisers see two images that look at a part of it.

    Args:
        config: with regularisers that have an argument ``share``, or ``shrink``, its inverse.
        most: images that training sees at once.
    """
    needed: list[float] = [TINY_BATCH]
    for node in walk({"model": config["model"]}):
        parameters = (parameters_of(node.component) or {}) if node.component is not None else {}
        given = {name: node.config.get(name, each.default) for name, each in parameters.items()}
        share, shrink = given.get("share"), given.get("shrink")
        if REGULARIZERS in node.registries:
            needed += [2 / share] if isinstance(share, float) and share > 0 else []
            needed += [2 * shrink] if isinstance(shrink, int) else []
    return min(math.ceil(max(needed)), max(most, TINY_BATCH))


def _reads_nothing(dataset: Mapping[str, Any]) -> bool:
    """Return whether a data set makes its images: it names no files, and has no other set inside."""
    kind = DATASETS.own(str(dataset.get("type")))
    inside = any(isinstance(value, Mapping) for value in dataset.values())
    return kind is not None and not inside and declared(kind, "disk_arguments") == ()


def _adopt_size(config: Mapping[str, Any], before: Any, after: Any) -> None:
    """Give the model the image size of a stand-in that is smaller than the data set."""
    for node in walk({"model": config["model"]}):
        if after != before and "image_size" in node.config:
            node.config["image_size"] = after


def _available(dataset: Mapping[str, Any], absent: type[Exception]) -> bool:
    try:
        DATASETS.build(dict(dataset))
    except absent:
        return False
    return True


def _synthetic(facts: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return made-up images and conditions, or what the data set's class itself proposes as a ``stand_in``.

    Args:
        facts: what is known of the data set; its ``size`` is the number of images that it is known to have.
        config: with the data set, and a model, whose networks ask for fields of which no fact tells.
    """
    dataset = config["train_dataloader"]["dataset"]
    shape = {
        "num_classes": facts.get("num_classes", UNKNOWN_CLASSES),
        "image_size": facts.get("image_size", UNKNOWN_SIZE),
        "size": facts.get("size", UNKNOWN_IMAGES),
    }
    kind = DATASETS.own(str(dataset.get("type")))
    proposed = None if kind is None else kind.stand_in(dataset, shape)
    if proposed is not None:
        return proposed
    fields = {**_fields_without_facts(config), **told_fields(facts)}
    further = {name: size for name, size in fields.items() if name != "label"}
    return {"type": "SyntheticImages", **shape, **({"fields": further} if further else {})}


def _fields_without_facts(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the fields that classes of networks ask for and whose size no data set tells: they have none."""
    kinds = [node.component for node in walk({"model": config["model"]}) if node.component is not None]
    asked = [fields for kind in kinds if names(fields := declared(kind, "requires"))]
    required = {name for fields in asked for name in fields if name in field_names()}
    return {name: 0 for name in sorted(required) if not condition_field(name).facts}


def _stand_in_if_unknown(config: dict[str, Any]) -> None:
    """Replace a data set whose folder, and so whose class count, is not there.

    Nobody knows how many images it has, except that they make a batch.
    """
    try:
        dataset_facts(config)
    except OSError:
        loader = config["train_dataloader"]
        known = {"image_size": loader["dataset"].get("image_size", UNKNOWN_SIZE)}
        if isinstance(batch := loader.get("batch_size"), int):
            known["size"] = max(batch, UNKNOWN_IMAGES)
        loader["dataset"] = _synthetic(known, config)
    except (ValueError, TypeError, ImportError):
        return  # wrong arguments: the validation reports them


def _leave_out_unavailable_losses(config: dict[str, Any]) -> None:
    """Remove losses that need weights of a well-known network which are not there."""
    losses = config["model"].get("losses") or {}
    for name, loss in list(losses.items()):
        own = {key: value for key, value in loss.items() if key not in ("inputs", "weights")}
        try:
            LOSSES.build(own)
        except FileNotFoundError:
            del losses[name]
        except (KeyError, TypeError, ValueError):
            continue  # facts are missing, or wrong arguments: the validation reports them


def _use_untrained_extractors(config: dict[str, Any]) -> None:
    """Take the random start of a frozen network in the model whose weights are not installed."""
    for node in walk({"model": config["model"]}):
        if EXTRACTORS in node.registries and node.component is not None:
            if "pretrained" not in (parameters_of(node.component) or {}):
                continue
            try:
                EXTRACTORS.build(dict(node.config))
            except ImportError:
                node.config["pretrained"] = False


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def run_tiny_step(config: Config) -> None:
    """Train ``config`` (see :func:`load_tiny_config`) for one iteration and evaluate; leaves no files behind.

    Raises:
        EvaluationError: the extractor or a metric does not work.
        Exception: whatever the run raised.
    """
    with tempfile.TemporaryDirectory() as folder, _quiet():
        config.work_dir = folder
        config.experiment_name = Path(folder).name  # MMEngine keeps global objects by this name
        with prepared_for(config):
            runner = build_runner(config)
        runner.train()
        for place, evaluation in config.get(EVALUATIONS, {}).items():
            try_evaluation(place, evaluation, runner.model, runner.train_dataloader.dataset, config)
