"""From a file of a run, or of exported weights, to what it says and holds: data, nothing is executed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from mmcgan.checkpoints.checksum import KEY as CHECKSUM
from mmcgan.checkpoints.checksum import checksum
from mmcgan.checkpoints.file_kind import why_unreadable
from mmcgan.checkpoints.files import load_checkpoint, strip_prefix
from mmcgan.checkpoints.seal import RUN, is_own, is_own_of_before
from mmcgan.closed_world import inspect, parse_config_text, parse_record
from mmcgan.origin import Origin, RefusedConfigError
from mmcgan.samplers.default_law import latent_law

FORMAT = "mmcgan-generator-1"
LONGEST_TRAINING = 1 << 60  # updates, and images: beyond any
EMA_PREFIX, RAW_PREFIX = "generator_ema.", "generator."
#: configs in a record, which are checked as such
CONFIGS = ("generator", "latent_sampler", "condition_sampler", "dataset")


@dataclass(frozen=True)
class GeneratorRecord:
    """What is needed to sample from a generator, and where it came from.

    Attributes:
        generator, latent_sampler, condition_sampler: configs.
        classes: class names, or None.
        dataset: config of the training images.
        iteration, images_seen: how long it was trained.
        metrics: the figures of the checkpoint's last evaluation, finite ones.
        extractor: of an instance-conditioned model: ``config``, ``describe`` and the ``image_size`` at which
            images are read before.
        components: ``type`` -> distribution and version that it came from.
    """

    generator: dict[str, Any]
    latent_sampler: dict[str, Any]
    condition_sampler: dict[str, Any]
    classes: tuple[str, ...] | None = None
    dataset: dict[str, Any] = field(default_factory=dict)
    iteration: int = 0
    images_seen: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    extractor: dict[str, Any] = field(default_factory=dict)
    components: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What a file of exported weights holds: its record, still unchecked data, and float32 weights."""

    record: dict[str, Any]
    weights: dict[str, Tensor]
    origin: Origin


@dataclass(frozen=True)
class RunFile:
    """What a run's checkpoint holds.

    Attributes:
        state: weights by name, without wrappers' prefixes.
        meta: what the run wrote down.
        config: that of the run, read without executing it; None if the file has none.
        hub: logged figures.
        origin: the file; its user's own if the run was this user's.
    """

    state: dict[str, Any]
    meta: dict[str, Any]
    config: dict[str, Any] | None
    hub: Mapping[str, Any]
    origin: Origin

    def network(self, prefix: str) -> dict[str, Tensor]:
        """Return the weights whose names start with ``prefix``, without it."""
        return {
            key.removeprefix(prefix): value for key, value in self.state.items() if key.startswith(prefix)
        }

    def part(self, name: str) -> Any:
        """Return a part of the model in the config, None if it is not there.

        Raises:
            RefusedConfigError: the config has no model.
        """
        model = (self.config or {}).get("model")
        if not isinstance(model, Mapping):
            raise RefusedConfigError(f"{self.origin.source}: its config has no model")
        return model.get(name)

    @property
    def dataset(self) -> Any:
        """The config of the training images, {} if there is none."""
        loader = (self.config or {}).get("train_dataloader")
        return (loader.get("dataset") if isinstance(loader, Mapping) else None) or {}


@dataclass(frozen=True)
class Content:
    """A generator's weights, float32, what is known of it (None if nothing), and the file they are from."""

    record: GeneratorRecord | None
    weights: dict[str, Tensor]
    origin: Origin


def read_weights(path: Path) -> tuple[GeneratorRecord | None, dict[str, Tensor]]:
    """Return the record (None if the file has none) and the generator's weights, float32.

    Nothing in the file is executed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unreadable, or no generator in it.
    """
    content = read_content(path)
    return content.record, content.weights


def read_content(path: Path) -> Content:
    """Return what a file says and holds of a generator; see :func:`read_weights`."""
    if path.suffix != ".safetensors":
        return _read_checkpoint(path)
    exported = read_exported(path, FORMAT)
    record = read_record(exported.record, exported.origin)
    return Content(record, exported.weights, exported.origin)


def read_exported(path: Path, form: str) -> Exported:
    """Return the content of a safetensors file of ours.

    Args:
        path: the file.
        form: what its metadata's ``format`` must be.

    Raises:
        FileNotFoundError: no such file.
        ValueError: damaged, of another format, or without a record.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path}: not a readable safetensors file ({why_unreadable(path, error)})"
        ) from error
    if metadata.get("format") != form:
        found = metadata.get("format")
        raise ValueError(f"{path}: format is {found!r}, expected {form!r}; make it with export-weights")
    stated = metadata.get(CHECKSUM)
    if stated is not None and stated != checksum(in_order(weights)):
        raise ValueError(f"{path} is damaged: its checksum differs; get it again")
    floats = {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    record = parse_record(metadata.get("record"), path)
    return Exported(record, floats, Origin.of_file(path).stating(record.get("components")))


def in_order(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by name: a safetensors file keeps them in an order of its own."""
    return {name: weights[name] for name in sorted(weights)}


def exported_metadata(form: str, record: Any, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the metadata of exported weights: format, record (a dataclass) and checksum."""
    text = json.dumps(asdict(record), sort_keys=True)
    return {"format": form, "record": text, CHECKSUM: checksum(in_order(weights))}


def read_record(given: Mapping[str, Any], origin: Origin) -> GeneratorRecord:
    """Return the record of exported weights, its configs plain data.

    Raises:
        RefusedConfigError: unknown or missing keys, values of another kind, or configs that no file may have.
    """
    known = [entry.name for entry in fields(GeneratorRecord)]
    problems = [f"unknown {key!r}" for key in given if key not in known]
    problems += [f"no {key!r}" for key in known[:3] if key not in given]
    if problems:
        raise RefusedConfigError(f"{origin.source}: its record has {', '.join(problems)}")
    configs: dict[str, Any] = {name: inspect(given[name], origin, name) for name in CONFIGS if name in given}
    classes = given.get("classes")
    if classes is not None and not _are_names(classes):
        raise RefusedConfigError(f"{origin.source}: classes must be a list of names, got {str(classes)[:80]}")
    metrics = given.get("metrics") or {}
    if not isinstance(metrics, Mapping) or not all(map(_is_number, metrics.values())):
        raise RefusedConfigError(f"{origin.source}: metrics must be numbers by name, got {str(metrics)[:80]}")
    for name, value in metrics.items():
        if not _is_finite(value):
            raise RefusedConfigError(f"{origin.source}: metrics.{name} is {_shown(value)}, no finite number")
    return GeneratorRecord(
        **configs,
        **training_length(given, origin),
        classes=tuple(classes) if classes else None,  # none are named
        metrics=dict(metrics),
        extractor=_extractor(given.get("extractor") or {}, origin),
        components=dict(origin.components),
    )


def training_length(given: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """Return ``iteration`` and ``images_seen`` of a record, 0 where it does not say.

    Raises:
        RefusedConfigError: one is no whole number from 0 on, or beyond any training.
    """
    counts = {key: given.get(key, 0) for key in ("iteration", "images_seen")}
    for key, value in counts.items():
        if not _is_number(value) or not 0 <= value < LONGEST_TRAINING or value != int(value):
            shown = f"{key} is {_shown(value)}"
            raise RefusedConfigError(
                f"{origin.source}: {shown}; both must be numbers, whole and not negative"
            )
    return {key: int(value) for key, value in counts.items()}


def _extractor(given: Any, origin: Origin) -> dict[str, Any]:
    """Return what finds the instance of an image: ``config``, ``describe`` and ``image_size``."""
    extractor = inspect(given, origin, "extractor")
    for key in ("config", "describe"):
        if not isinstance(extractor.get(key, {}), dict):
            raise RefusedConfigError(f"{origin.source}: extractor.{key} must be a dict")
    return extractor


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: float) -> bool:
    return abs(value) <= sys.float_info.max  # a whole number may be beyond what is a float; NaN is not below


def _shown(value: Any) -> str:
    """Return a value for a message; digits of a number of any length are more than Python writes."""
    large = isinstance(value, int) and abs(value) >= LONGEST_TRAINING
    return f"{value:#x}"[:40] if large else repr(value)[:40]


def read_run(path: Path) -> RunFile:
    """Return the content of a ``.pth`` of a run, or of weights alone.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unreadable, or its parts are not what they should be.
    """
    checkpoint = load_checkpoint(path)
    parts = {name: _or_empty(checkpoint.get(name)) for name in ("meta", "message_hub")}
    parts["state_dict"] = checkpoint.get("state_dict", checkpoint)
    for name, value in parts.items():
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise RefusedConfigError(f"{path}: {name} is no dictionary with names")
    meta = dict(parts["meta"])
    text = meta.get("cfg")
    mark, started_in = meta.get("seal"), meta.get("started_in")
    own = is_own(mark, RUN, text, "" if started_in is None else started_in)
    if not own and is_own_of_before(mark, text):
        own, started_in = True, None  # which that mark does not vouch for
    config = None if "cfg" not in meta else parse_config_text(text, path, own)
    origin = Origin.of_file(path, own, started_in)
    origin = origin.stating(meta.get("components"))
    return RunFile(strip_prefix(parts["state_dict"]), meta, config, parts["message_hub"], origin)


def _or_empty(value: Any) -> Any:
    """Return a part that may be missing; of what it is may be asked nothing, a tensor has no truth."""
    return {} if value is None else value


def _read_checkpoint(path: Path) -> Content:
    run = read_run(path)
    weights = run.network(EMA_PREFIX) or run.network(RAW_PREFIX)
    if not weights:
        raise ValueError(f"{path} holds no generator: no key starts with {RAW_PREFIX!r} or {EMA_PREFIX!r}")
    if run.config is None:
        return Content(None, weights, run.origin)
    known = run.meta.get("dataset_meta")
    described = known.get("instance_extractor") if isinstance(known, Mapping) else None
    stated = {
        "generator": run.part("generator"),
        "latent_sampler": run.part("latent_sampler") or latent_law(None),
        "condition_sampler": run.part("condition_sampler"),
        "dataset": run.dataset,
        "classes": known.get("classes") if isinstance(known, Mapping) else None,
        "iteration": run.meta.get("iter", 0),
        "images_seen": run.meta.get("images_seen", 0),
        "metrics": _last_figures(run.hub),
        "extractor": {"describe": described} if isinstance(described, Mapping) else {},
    }
    return Content(read_record(stated, run.origin), weights, run.origin)


def _last_figures(hub: Mapping[str, Any]) -> dict[str, float]:
    scalars = hub.get("scalars")
    figures = {}
    for key, history in scalars.items() if isinstance(scalars, Mapping) else ():
        name = str(key).removeprefix("val/")
        values = history.get("values") if isinstance(history, Mapping) else None
        if (
            str(key).startswith("val/")
            and isinstance(values, list)
            and values
            and name not in ("time", "data_time")
            and not (_is_number(values[-1]) and not _is_finite(values[-1]))  # an evaluation without result
        ):
            figures[name] = values[-1]
    return figures
