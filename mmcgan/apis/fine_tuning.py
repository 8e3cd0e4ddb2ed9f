"""Starting a training from a trained model: its weights, part by part, with rows of classes by their names.

The rule for what belongs to classes: a class of the new data takes the row of the class of that name; a class
without a namesake takes the mean of all rows, which shows a mixture of what is known and is nobody else's.
Where one side has no names (weights of other codebases have none), equally many classes keep their numbers,
and of another number of classes none has a namesake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmcgan.checkpoints.files import CheckpointError, save_checkpoint
from mmcgan.class_names import composed
from mmcgan.models.class_rows import ClassAxis, class_axes
from mmcgan.registry import DATASETS, MODELS
from mmcgan.weights import read_index
from mmcgan.zoo.discriminators import KIND, load_discriminator
from mmcgan.zoo.locate import find_weights
from mmcgan.zoo.reading import read_content, read_run

#: subfolder of the work folder for the weights that a run starts from
FOLDER = "start"
DISCRIMINATOR_SUFFIX = "-discriminator"
GENERATOR, AVERAGE, DISCRIMINATOR, HEADS = "generator.", "generator_ema.", "discriminator.", "heads."
NETWORKS = (GENERATOR, AVERAGE, DISCRIMINATOR)
SHOWN = 4


@dataclass
class Start:
    """The weights that a training starts from.

    Attributes:
        source: what the user called them.
        weights: by name, as in a model: ``generator.``, ``generator_ema.``, ``discriminator.``.
        classes: names of their classes, in order; None where nobody says.
        notes: for the log.
    """

    source: str
    weights: dict[str, Tensor]
    classes: list[str] | None = None
    notes: list[str] = field(default_factory=list)

    def note_once(self, text: str) -> None:
        """Add a note, unless it is there."""
        if text not in self.notes:
            self.notes.append(text)


def read_start(source: str | Path) -> Start:
    """Return the weights of a trained model.

    Args:
        source: as :func:`mmcgan.apis.load_model` takes it. A run's checkpoint gives all its networks;
            exported weights give the generator, with the discriminator that lies beside them (or ships)
            under the same name and ``-discriminator``.

    Raises:
        FileNotFoundError, ImportError, ValueError: as :func:`mmcgan.apis.load_model`.
    """
    path = find_weights(source)
    if path.suffix == ".pth":
        run = read_run(path)
        weights = {key: value for key, value in run.state.items() if isinstance(value, Tensor)}
        known = run.meta.get("dataset_meta") if isinstance(run.meta, Mapping) else None
        start = Start(str(source), weights, _names(known))
        if not any(key.startswith(GENERATOR) for key in weights):
            raise CheckpointError(f"{path} holds no generator of a run")
        return start
    content = read_content(path)
    own = {f"{GENERATOR}{key}": value for key, value in content.weights.items()}
    classes = None if content.record is None or content.record.classes is None else content.record.classes
    start = Start(str(source), own, None if classes is None else composed(classes))
    beside = path.with_name(f"{path.stem}{DISCRIMINATOR_SUFFIX}.safetensors")
    named = f"{path.stem}{DISCRIMINATOR_SUFFIX}"
    place = beside if beside.is_file() else (named if named in read_index(KIND) else None)
    if place is not None:
        judge = load_discriminator(place)
        start.weights |= {f"{DISCRIMINATOR}{key}": value for key, value in judge.network.state_dict().items()}
    return start


def fitted(start: Start, model: nn.Module, classes: Sequence[str] | None) -> dict[str, Tensor]:
    """Return the weights that ``model`` starts from, in its shapes; notes of what was done are added.

    A part is taken whole or not at all: the generator and the discriminator's backbone must fit, a head that
    is not there, or is of another kind, starts afresh. The average starts from the trained average.

    Args:
        start: of :func:`read_start`.
        model: newly built.
        classes: names of the classes of its data, in order.

    Raises:
        CheckpointError: another network; names tensors and shapes.
    """
    own, axes = model.state_dict(), class_axes(model)
    average = {
        f"{AVERAGE}{key.removeprefix(GENERATOR)}": key for key in start.weights if key.startswith(GENERATOR)
    }
    given = {**{name: start.weights[key] for name, key in average.items()}, **start.weights}
    # what is sampled and judged is the average: training goes on from it
    given |= {key: start.weights.get(name, start.weights[key]) for name, key in average.items()}
    taken: dict[str, Tensor] = {}
    for part in _parts(own):
        names = [name for name in own if name.startswith(part)]
        if not any(name.startswith(part) for name in given):
            if part.startswith(NETWORKS):
                start.notes.append(f"{start.source} has no {part.rstrip('.')}: it starts afresh")
            continue
        moved = {
            name: _resized(given[name], own[name], axes.get(name), start, classes)
            for name in names
            if name in given
        }
        faults = [f"{name} is missing" for name in names if name not in given]
        faults += [
            f"{name} is {tuple(value.shape)} there, {tuple(own[name].shape)} here"
            for name, value in moved.items()
            if value.shape != own[name].shape
        ]
        if not faults:
            taken |= moved
        elif f"{DISCRIMINATOR}{HEADS}" in part:
            start.notes.append(f"{part.rstrip('.')} is of another kind in {start.source}: it starts afresh")
        else:
            raise CheckpointError(_refusal(start, part, faults))
    start.notes += _told(start, classes)
    return taken


def _parts(names: Iterable[str]) -> list[str]:
    """Return the prefixes of what is taken whole: networks, and each head."""
    found = []
    for name in names:
        steps = name.split(".")
        depth = (
            3 if name.startswith(f"{DISCRIMINATOR}{HEADS}") else 2 if name.startswith(DISCRIMINATOR) else 1
        )
        found.append(".".join(steps[:depth]) + ("." if len(steps) > depth else ""))
    return list(dict.fromkeys(found))


def _refusal(start: Start, part: str, faults: Sequence[str]) -> str:
    more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    listed = ", ".join(faults[:SHOWN]) + more
    return (
        f"{start.source} does not fit the {part.rstrip('.')} of this config: {listed}. "
        "Start from a config of the same networks and size; only rows of classes are resized"
    )


def _resized(
    value: Tensor, own: Tensor, axis: ClassAxis | None, start: Start, classes: Sequence[str] | None
) -> Tensor:
    """Return a tensor with the rows of the new classes, by the rule of this module."""
    if axis is None:
        return value
    dim, copies = axis
    named = start.classes is not None and classes is not None
    if not named and value.shape == own.shape:
        return value  # nobody knows better than by their numbers
    ours = len(classes) if classes is not None else own.shape[dim] // copies
    behind = own.shape[dim] - ours * copies  # what comes behind the classes stays
    theirs = len(start.classes) if start.classes is not None else (value.shape[dim] - behind) // copies
    if behind < 0 or theirs < 1 or value.shape[dim] - theirs * copies != behind:
        return value
    if not named:
        start.note_once(
            f"the {theirs} classes of {start.source} and the {ours} of this config have no names to find "
            "each other by: all start from the mean of all"
        )
    rows = value.movedim(dim, 0)
    table = rows[: theirs * copies].unflatten(0, (theirs, copies))
    mean = table.float().mean(0).to(table.dtype)
    number = {name: place for place, name in enumerate(start.classes or ())}
    new = torch.stack([table[number[name]] if name in number else mean for name in classes or [""] * ours])
    return torch.cat([new.flatten(0, 1), rows[theirs * copies :]]).movedim(0, dim).contiguous()


def _told(start: Start, classes: Sequence[str] | None) -> list[str]:
    if start.classes is None or classes is None or list(classes) == start.classes:
        return []
    same = [name for name in classes if name in start.classes]
    new = [name for name in classes if name not in start.classes]
    told = f"{len(same)} of {len(classes)} classes start from the rows of their name in {start.source}"
    return [
        told
        + (
            f", the others ({', '.join(new[:SHOWN])}{', ...' if new[SHOWN:] else ''}) from the mean of all"
            if new
            else ""
        )
    ]


def _names(facts: Any) -> list[str] | None:
    names = facts.get("classes") if isinstance(facts, Mapping) else None
    listed = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return composed(names) if listed and names else None


@dataclass(frozen=True)
class FittedStart:
    """What a run starts from, ready to be written.

    Attributes:
        state: a checkpoint's content.
        notes: what there is to say about it.
    """

    state: dict[str, Any]
    notes: list[str]

    def write(self, cfg: Config, work_dir: Path) -> list[str]:
        """Write the weights to ``work_dir/start`` and name them as ``load_from``; return the notes."""
        path = work_dir / FOLDER / "weights.pth"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(self.state, path)
        cfg.load_from = str(path)
        return self.notes


def fit_start(cfg: Config, source: str | Path) -> FittedStart:
    """Return what the run of ``cfg`` starts from: the weights of a trained model, as far as they fit.

    Args:
        cfg: checked.
        source: see :func:`read_start`.

    Raises:
        CheckpointError: another network.
        FileNotFoundError, ImportError, ValueError: as :func:`mmcgan.apis.load_model`.
        ValueError: stages of the discriminator are to stay as they are, and the model brings none.
    """
    given = cfg.get("load_from")  # the config that mmcgan convert writes names the weights beside it
    if given and not _same_file(source, given):
        raise ValueError(f"--from {source} and load_from={given} both say where to start; give one")
    start = read_start(source)
    names = _names(DATASETS.build(cfg.train_dataloader.dataset).metainfo)
    weights = fitted(start, MODELS.build(cfg.model), names)
    refuse_frozen_noise(cfg, weights, f"{start.source} brings no discriminator")
    meta = {"partial": True, "from": str(source), "notes": start.notes, "dataset_meta": {"classes": names}}
    return FittedStart({"state_dict": weights, "meta": meta}, start.notes)


def _same_file(first: str | Path, second: str | Path) -> bool:
    """Return whether two sources are one file; addresses and names of models are none."""
    return Path(first).exists() and Path(second).exists() and Path(first).samefile(second)


def refuse_frozen_noise(cfg: Config, names: Iterable[str], reason: str) -> None:
    """Refuse stages that stay as they are (FreezeD) where there is nothing that they could be.

    Args:
        cfg: of the run.
        names: of the weights that the run starts from, as in a model.
        reason: why they would be noise, for the message.

    Raises:
        ValueError: the discriminator's backbone starts afresh.
    """
    stages = (cfg.model.get("discriminator") or {}).get("freeze_stages") or 0
    if stages and not any(name.startswith(f"{DISCRIMINATOR}backbone.") for name in names):
        raise ValueError(
            f"--freeze-d {stages} (model.discriminator.freeze_stages) would keep noise: {reason}. "
            "Start from a run's iter_N.pth, or from weights that have "
            "NAME-discriminator.safetensors beside them (mmcgan export-weights --discriminator), or give "
            "--freeze-d 0"
        )
