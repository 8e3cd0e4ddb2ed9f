"""Trained discriminators: read from a run, exported for sharing, found beside shipped models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mmcgan.checkpoints.files import atomic_write, load_checkpoint, strip_prefix
from mmcgan.config.literals import assignments
from mmcgan.models.discriminator import Discriminator
from mmcgan.plugins import load_plugins
from mmcgan.registry import nearest
from mmcgan.weights import read_index, weight_path
from mmcgan.zoo.models import enter_in_index, plain, stored

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
    record, weights = found
    network = Discriminator(**{k: v for k, v in record.discriminator.items() if k != "type"})
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
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
    checkpoint: str | Path, out: str | Path, half: bool = False, command: str | None = None
) -> dict[str, Any]:
    """Write the discriminator of a run's checkpoint as safetensors and enter it in ``index.json``.

    Args:
        checkpoint: a ``.pth`` of a run.
        out: ``NAME.safetensors``; the index beside it gets an entry ``NAME`` with the SHA-256.
        half: store float16.
        command: what trained the checkpoint, for the index.

    Raises:
        FileExistsError: ``out`` exists.
        ValueError: the checkpoint holds no discriminator, or ``out`` has another suffix.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"{out}: exported weights are NAME.safetensors")
    if out.exists():
        raise FileExistsError(f"{out} exists; remove it or choose another name")
    found = _read_checkpoint(Path(checkpoint))
    if found is None:
        raise ValueError(f"{checkpoint} holds no discriminator with its config; give a checkpoint of a run")
    record, weights = found
    kept = {key: stored(value, half) for key, value in weights.items()}
    content = save(kept, {"format": FORMAT, "record": json.dumps(asdict(record), sort_keys=True)})
    atomic_write(out, lambda file: _write(file, content))
    return enter_in_index(out, asdict(record), KIND, command)


def _shipped(name: str) -> Path:
    known = list(read_index(KIND))
    if name in known:
        return weight_path(name, KIND)
    listed = ", ".join(known) or "none"
    raise FileNotFoundError(
        f"no shipped discriminator or file {name!r}.{nearest(name, known)} Shipped: {listed}"
    )


def _read_checkpoint(path: Path) -> tuple[DiscriminatorRecord, dict[str, Tensor]] | None:
    checkpoint = load_checkpoint(path)
    state, meta = strip_prefix(checkpoint.get("state_dict", checkpoint)), checkpoint.get("meta", {})
    weights = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    config = assignments(meta["cfg"]) if "cfg" in meta else {}
    if not weights or "discriminator" not in config.get("model", {}):
        return None
    record = DiscriminatorRecord(
        plain(config["model"]["discriminator"]),
        plain((config.get("train_dataloader") or {}).get("dataset") or {}),
        meta.get("iter", 0),
        meta.get("images_seen", 0),
    )
    return record, weights


def _read_exported(path: Path) -> tuple[DiscriminatorRecord, dict[str, Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path}: format is {metadata.get('format')!r}, expected {FORMAT!r}")
    floats = {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    return DiscriminatorRecord(**json.loads(metadata["record"])), floats


def _write(file: Any, content: bytes) -> None:
    file.write(content)
