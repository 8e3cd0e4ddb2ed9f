"""Trained generators: found by name, read from files, written for sharing."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.files import require_finite, require_half
from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.closed_world import build, named
from mmcgan.condition_fields import condition_field
from mmcgan.instances.store import InstanceStore
from mmcgan.instances.store_metadata import METADATA
from mmcgan.models.generators.base import Generator
from mmcgan.models.sampling import SamplingModel
from mmcgan.origin import USER, Origin
from mmcgan.plain_values import plain
from mmcgan.plugins import load_plugins
from mmcgan.provenance import origins, origins_of_types
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.default_law import law_text
from mmcgan.samplers.scaled import scaled
from mmcgan.zoo.export_index import read_export_index, write_with_entry
from mmcgan.zoo.gone_components import load_config_beside
from mmcgan.zoo.latent_law import law_beside
from mmcgan.zoo.locate import find_weights, short_name
from mmcgan.zoo.reading import FORMAT, GeneratorRecord, exported_metadata, read_content, read_weights
from mmcgan.zoo.reported_figures import reported_figures
from mmcgan.zoo.stored_instances import (
    LateSampler,
    StoredInstances,
    extractor_record,
    store_of,
    without_instances,
)

__all__ = [
    "FORMAT",
    "GeneratorRecord",
    "LoadedModel",
    "export_weights",
    "given_model",
    "load_model",
    "plain",
    "read_weights",
    "stored",
]
KIND = "generator"


@dataclass(frozen=True)
class LoadedModel:
    """A generator ready to sample.

    Attributes:
        model: samples with the weights it was given (the average, where there was one).
        condition_sampler: draws conditions as in training, or from the instances that came with the weights.
        record: what the weights came with.
        name: short name for files and messages.
        instances: those that came with the weights, None if none did.
        origin: where the record's configs come from, which decides what they may ask for.
        file: the file of the weights, from which the record's extractor is.
    """

    model: SamplingModel
    condition_sampler: Any
    record: GeneratorRecord
    name: str
    instances: StoredInstances | None = None
    origin: Origin = USER
    file: Origin = USER

    def with_latent_scale(self, scale: float) -> LoadedModel:
        """Return the same generator with latents ``scale`` times as wide as in training.

        Raises:
            ValueError: a scale that is not finite or not above 0.
        """
        law = scaled(self.record.latent_sampler, scale)
        model = copy(self.model)  # the networks stay the same ones
        model.latent_sampler = SAMPLERS.build({"latent_dim": model.generator.latent_dim, **law})
        return replace(self, model=model, record=replace(self.record, latent_sampler=law))

    @property
    def requires(self) -> tuple[str, ...]:
        """Fields of a condition that the generator looks at."""
        return tuple(self.model.generator.requires)

    def size_of(self, field: str) -> int:
        """Return the size of a field of the condition: a number of classes, a length.

        Raises:
            ValueError: neither the generator nor its config say.
        """
        generator, facts = self.model.generator, condition_field(field).facts
        found = generator.size_of(field) or (self.record.generator.get(facts[0]) if facts else 0)
        if not found and facts:
            raise ValueError(
                f"{self.name}: {type(generator).__name__} does not say the size of condition.{field}: let it "
                f"define size_of(), or take {facts[0]}; see {Generator.contract.page}"
            )
        return int(found or 0)

    @cached_property
    def store(self) -> InstanceStore | None:
        """The instances of training, None if there are none.

        Raises:
            FileNotFoundError: the store is gone.
            StoreError: it is not the one that training used.
        """
        with named(self.origin, "the store of instances"):
            found = store_of(self.record.condition_sampler, self.origin)
            described = self.record.extractor.get("describe")
            if found is not None and described:
                found.require_extractor(described)
            if found is not None and "label" in self.requires:
                found.require_classes(self.record.classes or ())
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

    @property
    def extractor_origin(self) -> Origin:
        """Where the config of :attr:`extractor` comes from."""
        if self.record.extractor.get("config") or self.store is None:
            return self.file
        return Origin.of_file(self.store.root / METADATA, own=self.store.own)


def load_model(
    source: str | Path, checkpoint: str | Path | None = None, options: Mapping[str, Any] | None = None
) -> LoadedModel:
    """Return a trained generator.

    Args:
        source: name of a shipped model; or path or name of a config, with ``checkpoint``; or a
            file of weights (``.pth`` of a run, or exported ``.safetensors``) by itself; or weights that
            are elsewhere (:func:`mmcgan.zoo.locate.find_weights`).
        checkpoint: weights for a config.
        options: values by dotted path, for a config; weights by themselves bring settings that are theirs.

    Raises:
        FileNotFoundError: nothing of that name; suggests shipped models and configs.
        ImportError: weights of the HuggingFace Hub, and its library is not installed.
        ValueError: a config without weights, weights that do not fit, or options without a config.

    Examples:
        >>> loaded = load_model("omnigan_biggan_digits-16")
        >>> loaded.record.generator["type"], loaded.record.generator["image_size"]
        ('BigGANGenerator', 16)
    """
    load_plugins()
    if checkpoint is not None:
        path = Path(checkpoint)
        content = read_content(path)
        record = _record_of(load_config_beside(source, options, path), content.record)
        return _assemble(record, content.weights, path, USER, content.origin)
    if options:
        raise ValueError(
            f"{source}: options (--cfg-options {' '.join(options)}) apply to a config: give CONFIG CHECKPOINT"
        )
    path = find_weights(source)
    content = read_content(path)
    if content.record is None:
        raise ValueError(f"{path} does not say which config it was trained with; give CONFIG {path}")
    loaded = _assemble(content.record, content.weights, path, content.origin, content.origin)
    return replace(loaded, name=short_name(source, path))


def given_model(
    source: str | Path | LoadedModel,
    checkpoint: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> LoadedModel:
    """Return ``source`` if it is loaded already, else :func:`load_model` of it.

    Raises:
        ValueError: a checkpoint or options for a model that is loaded already.
    """
    if not isinstance(source, LoadedModel):
        return load_model(source, checkpoint, options)
    if checkpoint is not None or options:
        raise ValueError(f"{source.name} is loaded already: a checkpoint or options come too late")
    return source


def _record_of(config: Mapping[str, Any], stated: GeneratorRecord | None) -> GeneratorRecord:
    """Return the record of a config that the user named; the file of weights knows classes and extractor."""
    model = config["model"]
    law = law_beside(None if stated is None else stated.latent_sampler, model.get("latent_sampler"))
    return GeneratorRecord(
        generator=plain(model["generator"]),
        latent_sampler=plain(law),
        condition_sampler=plain(model["condition_sampler"]),
        classes=None if stated is None else stated.classes,
        dataset=plain((config.get("train_dataloader") or {}).get("dataset") or {}),
        extractor={} if stated is None else stated.extractor,
    )


def _assemble(
    record: GeneratorRecord, weights: Mapping[str, Any], path: Path, origin: Origin, file: Origin
) -> LoadedModel:
    model = _sampling_model(record, path, origin)
    named_classes = record.classes if "label" in model.generator.requires else None
    if named_classes is not None and len(named_classes) != model.generator.num_classes:
        found = f"class names: {len(named_classes)}, classes of its generator: {model.generator.num_classes}"
        raise ValueError(f"{path}: {found}; there must be a name for each")
    sizes = [model.generator.size_of(field) or 0 for field in ("instance", "label")]
    try:
        instances = StoredInstances.from_tensors(weights, *sizes)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        model.generator.load_state_dict(without_instances(weights))
    except (RuntimeError, AttributeError, TypeError) as error:  # a stranger's "weights" may be anything
        raise ValueError(f"{path} does not fit the generator of the config: {error}") from error
    model.requires_grad_(False).eval()
    sampler = instances or LateSampler(record.condition_sampler, origin, named_classes or ())
    return LoadedModel(model, sampler, record, path.stem, instances, origin, file)


def _sampling_model(record: GeneratorRecord, path: Path, origin: Origin) -> SamplingModel:
    if origin is USER:
        try:
            return SamplingModel(record.generator, record.latent_sampler, ema=False)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path}: its config asks for {error}") from error
    parts = {"generator": record.generator, "latent_sampler": record.latent_sampler}
    return build(SamplingModel, parts, origin, "model", ema=False)


def export_weights(
    checkpoint: str | Path,
    out: str | Path,
    half: bool = False,
    command: str | None = None,
    licence: str | None = None,
    latent_scale: float | None = None,
    report: str | Path | None = None,
) -> dict[str, Any]:
    """Write the averaged generator of a run's checkpoint as safetensors and enter it in ``index.json``.

    Args:
        checkpoint: a ``.pth`` of a run. Of an instance-conditioned model the instances that k-means selected
            are written too, so that it samples without the training images.
        out: ``NAME.safetensors``; the index beside it gets an entry ``NAME`` with the SHA-256.
        half: store float16.
        command: what trained the checkpoint, for the index.
        licence: of the weights, for the index; None where that is not said.
        latent_scale: sample the file with latents so many times as wide as in training; the figures of the
            run's own evaluations, which are of another scale then, are left out.
        report: of ``mmcgan test --json`` on this checkpoint, whose figures at that scale to record instead.

    Raises:
        FileExistsError: ``out`` exists.
        FileNotFoundError: no such report.
        ValueError: not a checkpoint of a run, ``out`` has another suffix, weights that are NaN, infinite or
            too large for float16, the store of an instance-conditioned model has no k-means instances, a
            scale that is not above 0, a report of another checkpoint or without that scale, or an
            ``index.json`` beside ``out`` that is another file of that name.
    """
    checkpoint, out = Path(checkpoint), Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"{out}: exported weights are NAME.safetensors")
    if out.exists():
        raise FileExistsError(f"{out} exists; remove it or choose another name")
    read_export_index(out)
    content = read_content(checkpoint)
    record = content.record
    if record is None or checkpoint.suffix == out.suffix:
        raise ValueError(f"{checkpoint} holds no config; it is not a checkpoint of a run")
    require_finite(content.weights, str(checkpoint))
    if half:
        require_half(content.weights, str(checkpoint))
    kept = {key: stored(value, half) for key, value in content.weights.items()}
    stated = [record.generator, record.latent_sampler, record.condition_sampler, record.dataset]
    record = replace(
        record,
        dataset=without_places(record.dataset),
        components=origins_of_types(stated, record.components) or origins(stated),
        latent_sampler=scaled(record.latent_sampler, latent_scale),
        metrics=_recorded(record, checkpoint, latent_scale, report),
    )
    store = store_of(record.condition_sampler, content.origin)
    if store is not None:
        record = _without_folders(replace(record, extractor=extractor_record(store)))
        kept |= StoredInstances.from_store(store, bool(record.generator.get("num_classes"))).tensors(half)
    facts = {key: value for key, value in asdict(record).items() if not key.endswith("sampler")}
    facts["latents"] = law_text(record.latent_sampler)
    content_of_file = tensor_bytes(kept, exported_metadata(FORMAT, record, kept))
    return write_with_entry(out, content_of_file, facts, KIND, command, licence)


def _recorded(
    record: GeneratorRecord, checkpoint: Path, scale: float | None, report: str | Path | None
) -> dict[str, float]:
    """Return the figures that are of the latents which the exported file draws."""
    if report is not None:
        return reported_figures(Path(report), checkpoint, scale)
    trained = scale is None or scaled(record.latent_sampler, scale) == record.latent_sampler
    return record.metrics if trained else {}


def without_places(value: Any) -> Any:
    """Return a config with names in place of absolute paths, which say where things lie on one machine."""
    if isinstance(value, Mapping):
        return {key: without_places(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_places(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~")) else value


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
