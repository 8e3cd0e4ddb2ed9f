"""Trained discriminators: read from a run, exported for sharing, found beside shipped models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.checkpoints.tensor_bytes import tensor_bytes
from mmcgan.closed_world import build, inspect
from mmcgan.models.discriminator import Discriminator
from mmcgan.origin import Origin, RefusedConfigError
from mmcgan.plugins import load_plugins
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index, weight_path
from mmcgan.zoo.export_index import read_export_index, write_with_entry
from mmcgan.zoo.models import stored
from mmcgan.zoo.reading import exported_metadata, read_exported, read_run, training_length

FORMAT = "mmcgan-discriminator-1"
KIND = "discriminator"
PREFIX = "discriminator."


@dataclass(frozen=True)
class DiscriminatorRecord:
    """What a discriminator is built from and what it was trained with.

    Attributes:
        discriminator: config.
        dataset: config of the training images.
        iteration, images_seen: how long it was trained.
    """

    discriminator: dict[str, Any]
    dataset: dict[str, Any] = field(default_factory=dict)
    iteration: int = 0
    images_seen: int = 0


_Content = tuple[DiscriminatorRecord, dict[str, Tensor], Origin]


@dataclass(frozen=True)
class LoadedDiscriminator:
    """A discriminator in evaluation mode, without gradients for its weights, and its name."""

    network: Discriminator
    record: DiscriminatorRecord
    name: str


def load_discriminator(source: str | Path) -> LoadedDiscriminator:
    """Return a trained discriminator.

    Args:
        source: name of a shipped one, a run's checkpoint (``.pth``), or an exported ``.safetensors``.

    Raises:
        FileNotFoundError: nothing of that name; lists those that ship.
        ValueError: a file without a discriminator, or whose weights do not fit.
    """
    load_plugins()
    path = Path(source)
    if path.suffix not in (".pth", ".safetensors"):
        path = _shipped(str(source))
    found = read_discriminator(path)
    if found is None:
        raise ValueError(f"{path} holds no discriminator; give a run's checkpoint (.pth), which does")
    return found


def read_discriminator(path: Path) -> LoadedDiscriminator | None:
    """Return the discriminator of a file, None if a run's checkpoint holds none.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unreadable, exported weights of something else, or weights that do not fit.
    """
    found = _read_exported(path) if path.suffix == ".safetensors" else _read_checkpoint(path)
    if found is None:
        return None
    record, weights, origin = found
    network = build(Discriminator, record.discriminator, origin, "discriminator")
    try:
        network.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} does not fit the discriminator of its config: {error}") from error
    return LoadedDiscriminator(network.requires_grad_(False).eval(), record, path.stem)


def shipped_for(dataset: Mapping[str, Any]) -> str | None:
    """Return the name of a shipped discriminator that was trained with images of ``dataset``, or None."""
    wanted = [dataset.get(key) for key in ("type", "image_size")]
    for name, entry in read_index(KIND).items():
        if [entry["dataset"].get(key) for key in ("type", "image_size")] == wanted:
            return name
    return None


def export_discriminator(
    checkpoint: str | Path,
    out: str | Path,
    half: bool = False,
    command: str | None = None,
    licence: str | None = None,
) -> dict[str, Any]:
    """Write the discriminator of a run's checkpoint as safetensors and enter it in ``index.json``.

    Args:
        checkpoint: a ``.pth`` of a run.
        out: ``NAME.safetensors``; the index beside it gets an entry ``NAME`` with the SHA-256.
        half: store float16.
        command: what trained the checkpoint, for the index.
        licence: of the weights, for the index; None where that is not said.

    Raises:
        FileExistsError: ``out`` exists.
        ValueError: the checkpoint holds no discriminator, ``out`` has another suffix, or the ``index.json``
            beside it is another file of that name.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"{out}: exported weights are NAME.safetensors")
    if out.exists():
        raise FileExistsError(f"{out} exists; remove it or choose another name")
    read_export_index(out)
    found = _read_checkpoint(Path(checkpoint))
    if found is None:
        raise ValueError(f"{checkpoint} holds no discriminator with its config; give a checkpoint of a run")
    record, weights, _ = found
    kept = {key: stored(value, half) for key, value in weights.items()}
    content = tensor_bytes(kept, exported_metadata(FORMAT, record, kept))
    return write_with_entry(out, content, asdict(record), KIND, command, licence)


def _shipped(name: str) -> Path:
    known = list(read_index(KIND))
    if name in known:
        return weight_path(name, KIND)
    listed = ", ".join(known) or "none"
    raise FileNotFoundError(
        f"no shipped discriminator or file {name!r}.{nearest(name, known)} Shipped: {listed}"
    )


def _read_checkpoint(path: Path) -> _Content | None:
    run = read_run(path)
    weights = run.network(PREFIX)
    if not weights or run.config is None or run.part("discriminator") is None:
        return None
    length = {"iteration": run.meta.get("iter", 0), "images_seen": run.meta.get("images_seen", 0)}
    record = DiscriminatorRecord(
        inspect(run.part("discriminator"), run.origin, "discriminator"),
        inspect(run.dataset, run.origin, "dataset"),
        **training_length(length, run.origin),
    )
    return record, weights, run.origin


def _read_exported(path: Path) -> _Content:
    exported = read_exported(path, FORMAT)
    given, origin = exported.record, exported.origin
    known = [entry.name for entry in fields(DiscriminatorRecord)]
    unknown = [key for key in given if key not in known]
    if unknown or "discriminator" not in given:
        raise RefusedConfigError(f"{path}: its record has unknown keys {unknown} or no 'discriminator'")
    configs: dict[str, Any] = {
        key: inspect(given[key], origin, key) for key in ("discriminator", "dataset") if key in given
    }
    record = DiscriminatorRecord(**configs, **training_length(given, origin))
    return record, exported.weights, origin
