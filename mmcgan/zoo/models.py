"""Trained generators: found by name, read from files, written for sharing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmcgan.checkpoints.files import atomic_write, load_checkpoint, strip_prefix
from mmcgan.config import load_config
from mmcgan.config.literals import assignments
from mmcgan.instances.store import InstanceStore
from mmcgan.models.sampling import SamplingModel
from mmcgan.plugins import load_plugins
from mmcgan.zoo.locate import find_weights, short_name
from mmcgan.zoo.stored_instances import PREFIX, LateSampler, StoredInstances, extractor_record, store_of

FORMAT = "mmcgan-generator-1"
KIND = "generator"
EMA_PREFIX, RAW_PREFIX = "generator_ema.", "generator."


@dataclass(frozen=True)
class GeneratorRecord:
    """What is needed to sample from a generator, and where it came from.

    Attributes:
        generator, latent_sampler, condition_sampler: configs.
        classes: class names, or None.
        dataset: config of the training images.
        iteration, images_seen: how long it was trained.
        metrics: the figures of the checkpoint's last evaluation.
        extractor: of an instance-conditioned model: ``config``, ``describe`` and the ``image_size`` at which
            images are read before.
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


@dataclass(frozen=True)
class LoadedModel:
    """A generator ready to sample.

    Attributes:
        model: samples with the weights it was given (the average, where there was one).
        condition_sampler: draws conditions as in training, or from the instances that came with the weights.
        record: what the weights came with.
        name: short name for files and messages.
        instances: those that came with the weights, None if none did.
    """

    model: SamplingModel
    condition_sampler: Any
    record: GeneratorRecord
    name: str
    instances: StoredInstances | None = None

    @property
    def requires(self) -> tuple[str, ...]:
        """Fields of a condition that the generator looks at."""
        return tuple(getattr(self.model.generator, "requires", ()))

    @cached_property
    def store(self) -> InstanceStore | None:
        """The instances of training, None if there are none.

        Raises:
            FileNotFoundError: the store is gone.
            StoreError: it is not the one that training used.
        """
        found = store_of(self.record.condition_sampler)
        described = self.record.extractor.get("describe")
        if found is not None and described:
            found.require_extractor(described)
        return found

    @property
    def extractor(self) -> dict[str, Any]:
        """What finds the instance of an image, see :attr:`GeneratorRecord.extractor`.

        Raises:
            ValueError: neither the weights nor a store say.
        """
        if self.record.extractor.get("config"):
            return self.record.extractor
        if self.store is None:
            raise ValueError(f"{self.name} does not say which extractor its instances come from")
        return extractor_record(self.store)


def load_model(
    source: str | Path, checkpoint: str | Path | None = None, options: Mapping[str, Any] | None = None
) -> LoadedModel:
    """Return a trained generator.

    Args:
        source: name of a shipped model; or path or name of a config, with ``checkpoint``; or a
            file of weights (``.pth`` of a run, or exported ``.safetensors``) by itself; or weights that
            are elsewhere (:func:`mmcgan.zoo.locate.find_weights`).
        checkpoint: weights for a config.
        options: values by dotted path, for a config.

    Raises:
        FileNotFoundError: nothing of that name; suggests shipped models and configs.
        ImportError: weights of the HuggingFace Hub, and its library is not installed.
        ValueError: a config without weights, or weights that do not fit.
    """
    load_plugins()
    if checkpoint is not None:
        record, weights = read_weights(Path(checkpoint))
        config = load_config(source, options)
        classes = None if record is None else record.classes
        extractor = {} if record is None else record.extractor
        return _assemble(_record_of(config, classes, extractor=extractor), weights, Path(checkpoint))
    path = find_weights(source)
    record, weights = read_weights(path)
    if record is None:
        raise ValueError(f"{path} does not say which config it was trained with; give CONFIG {path}")
    loaded = _assemble(record, weights, path)
    return replace(loaded, name=short_name(source, path))


def read_weights(path: Path) -> tuple[GeneratorRecord | None, dict[str, Tensor]]:
    """Return the record (None if the file has none) and the generator's weights, float32.

    Nothing in the file is executed.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unreadable, or no generator in it.
    """
    return _read_exported(path) if path.suffix == ".safetensors" else _read_checkpoint(path)


def _read_exported(path: Path) -> tuple[GeneratorRecord, dict[str, Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        found = metadata.get("format")
        raise ValueError(f"{path}: format is {found!r}, expected {FORMAT!r}; make it with export-weights")
    try:
        record = GeneratorRecord(**json.loads(metadata["record"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: its record cannot be read ({error})") from error
    return record, _single_precision(weights)


def _single_precision(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}


def _read_checkpoint(path: Path) -> tuple[GeneratorRecord | None, dict[str, Tensor]]:
    checkpoint = load_checkpoint(path)
    state = strip_prefix(checkpoint.get("state_dict", checkpoint))
    prefix = EMA_PREFIX if any(key.startswith(EMA_PREFIX) for key in state) else RAW_PREFIX
    weights = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    if not weights:
        raise ValueError(f"{path} holds no generator: no key starts with {RAW_PREFIX!r} or {EMA_PREFIX!r}")
    meta = checkpoint.get("meta", {})
    if "cfg" not in meta:
        return None, weights
    known = meta.get("dataset_meta") or {}
    described = known.get("instance_extractor")
    record = _record_of(
        assignments(meta["cfg"]),
        known.get("classes"),
        iteration=meta.get("iter", 0),
        images_seen=meta.get("images_seen", 0),
        metrics=_last_figures(checkpoint.get("message_hub", {})),
        extractor={"describe": described} if described else {},
    )
    return record, weights


def _last_figures(hub: Mapping[str, Any]) -> dict[str, float]:
    scalars = {k.removeprefix("val/"): v for k, v in hub.get("scalars", {}).items() if k.startswith("val/")}
    return {k: v["values"][-1] for k, v in scalars.items() if v["values"] and k not in ("time", "data_time")}


def _record_of(config: Mapping[str, Any], classes: Any, **progress: Any) -> GeneratorRecord:
    model = config["model"]
    return GeneratorRecord(
        generator=plain(model["generator"]),
        latent_sampler=plain(model.get("latent_sampler") or {"type": "NormalLatent"}),
        condition_sampler=plain(model["condition_sampler"]),
        classes=None if classes is None else tuple(classes),
        dataset=plain((config.get("train_dataloader") or {}).get("dataset") or {}),
        **progress,
    )


def plain(value: Any) -> Any:
    """Return a config's value as plain dicts and lists."""
    if isinstance(value, Mapping):
        return {key: plain(element) for key, element in value.items()}
    return [plain(element) for element in value] if isinstance(value, list | tuple) else value


def _assemble(record: GeneratorRecord, weights: Mapping[str, Tensor], path: Path) -> LoadedModel:
    try:
        model = SamplingModel(record.generator, record.latent_sampler, ema=False)
    except (KeyError, TypeError) as error:  # what a file asks for, that this version does not have
        raise ValueError(f"{path}: its config asks for {error}") from error
    instances = StoredInstances.from_tensors(weights)
    weights = {name: value for name, value in weights.items() if not name.startswith(PREFIX)}
    try:
        model.generator.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the generator of the config: {error}") from error
    model.requires_grad_(False).eval()
    sampler = instances or LateSampler(record.condition_sampler)
    return LoadedModel(model, sampler, record, path.stem, instances)


def export_weights(
    checkpoint: str | Path, out: str | Path, half: bool = False, command: str | None = None
) -> dict[str, Any]:
    """Write the averaged generator of a run's checkpoint as safetensors and enter it in ``index.json``.

    Args:
        checkpoint: a ``.pth`` of a run. Of an instance-conditioned model the instances that k-means selected
            are written too, so that it samples without the training images.
        out: ``NAME.safetensors``; the index beside it gets an entry ``NAME`` with the SHA-256.
        half: store float16.
        command: what trained the checkpoint, for the index.

    Raises:
        FileExistsError: ``out`` exists.
        ValueError: not a checkpoint of a run, ``out`` has another suffix, or the store of an
            instance-conditioned model has no k-means instances.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"{out}: exported weights are NAME.safetensors")
    if out.exists():
        raise FileExistsError(f"{out} exists; remove it or choose another name")
    record, weights = _read_checkpoint(checkpoint)
    if record is None:
        raise ValueError(f"{checkpoint} holds no config; it is not a checkpoint of a run")
    kept = {key: stored(value, half) for key, value in weights.items()}
    store = store_of(record.condition_sampler)
    if store is not None:
        record = _without_folders(replace(record, extractor=extractor_record(store)))
        kept |= StoredInstances.from_store(store, bool(record.generator.get("num_classes"))).tensors(half)
    content = save(kept, {"format": FORMAT, "record": json.dumps(asdict(record), sort_keys=True)})
    atomic_write(out, lambda file: _write(file, content))
    facts = {key: value for key, value in asdict(record).items() if not key.endswith("sampler")}
    return enter_in_index(out, facts, KIND, command)


def _without_folders(record: GeneratorRecord) -> GeneratorRecord:
    """Return the record with names in place of paths: those of one machine mean nothing on another."""
    sampler, dataset = dict(record.condition_sampler), dict(record.dataset)
    while "store" in dataset and isinstance(dataset.get("dataset"), dict):
        dataset = dict(dataset["dataset"])  # the images; neighbourhoods belong to the store
    extractor = dict(record.extractor.get("config", {}))
    for part, key in ((sampler, "instance_store"), (dataset, "store"), (extractor, "weights")):
        if isinstance(part.get(key), str):
            part[key] = Path(part[key]).name
    kept = {**record.extractor, "config": extractor}
    return replace(record, condition_sampler=sampler, dataset=dataset, extractor=kept)


def stored(value: Tensor, half: bool) -> Tensor:
    """Return a tensor as it is written: contiguous, in float16 if ``half``."""
    value = value.detach().clone(memory_format=torch.contiguous_format)
    return value.half() if half and value.is_floating_point() else value


def _write(file: Any, content: bytes) -> None:
    file.write(content)


def enter_in_index(out: Path, facts: Mapping[str, Any], kind: str, command: str | None) -> dict[str, Any]:
    """Add exported weights to the index beside them and return the entry."""
    from mmcgan.weights import file_hash

    index_path = out.parent / "index.json"
    index = json.loads(index_path.read_text(encoding="utf-8")) if index_path.exists() else {}
    index[out.stem] = {
        **facts,
        "kind": kind,
        "file": out.name,
        "sha256": file_hash(out),
        "license": "Apache-2.0",
        "command": command or "",
    }
    content = json.dumps(index, indent=2, sort_keys=True).encode() + b"\n"
    atomic_write(index_path, lambda file: _write(file, content))
    return index[out.stem]
