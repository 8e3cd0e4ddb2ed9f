"""Our weights in the form of BigGAN-PyTorch, StudioGAN or MMagic, with the settings that build them there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.checkpoints.files import save_checkpoint
from mmcgan.closed_world import checked
from mmcgan.peers.formats import DISCRIMINATOR, GENERATOR, PEERS
from mmcgan.peers.formats.format import Table, build_network
from mmcgan.peers.reading.shapes import Config
from mmcgan.peers.resolving import some
from mmcgan.peers.writing import back_names as names
from mmcgan.peers.writing.back_names import Place, back_names
from mmcgan.peers.writing.back_settings import SETTINGS
from mmcgan.peers.writing.back_values import EITHER, HOOK, OWN, NotCarried, suited_spectral, suited_variances
from mmcgan.random import make_generator
from mmcgan.structures import Condition
from mmcgan.zoo.models import load_model
from mmcgan.zoo.reading import read_run

State = dict[str, Tensor]


@dataclass(frozen=True)
class Target:
    """How one class of our networks is written for one peer.

    Attributes:
        format: name of the peer's format, which reads the result again.
        table: our keys -> the peer's.
        place: positions of blocks and self-attention.
        spectral: which spectral norm the peer has.
    """

    format: str
    table: Table
    place: Place
    spectral: str


_STUDIOGAN = partial(Target, place=names.nested_slots, spectral=HOOK)
TARGETS: dict[tuple[str, str], Target] = {
    ("biggan_pytorch", "BigGANGenerator"): Target(
        "biggan_pytorch", names.BIGGAN_GENERATOR, names.beside, OWN
    ),
    ("biggan_pytorch", "BigGANBackbone"): Target(
        "biggan_pytorch", names.BIGGAN_DISCRIMINATOR, names.beside, OWN
    ),
    ("biggan_pytorch", "BigGANDeepGenerator"): Target(
        "biggan_pytorch_deep", names.BIGGAN_GENERATOR, names.beside, OWN
    ),
    ("biggan_pytorch", "BigGANDeepBackbone"): Target(
        "biggan_pytorch_deep", names.BIGGAN_DISCRIMINATOR, names.beside, OWN
    ),
    ("studiogan", "BigGANGenerator"): _STUDIOGAN("studiogan_big_resnet", names.STUDIOGAN_GENERATOR),
    ("studiogan", "BigGANBackbone"): _STUDIOGAN("studiogan_big_resnet", names.STUDIOGAN_DISCRIMINATOR),
    ("studiogan", "ResNetGenerator"): _STUDIOGAN("studiogan_resnet", names.STUDIOGAN_GENERATOR),
    ("studiogan", "ResNetBackbone"): _STUDIOGAN("studiogan_resnet", names.STUDIOGAN_DISCRIMINATOR),
    ("mmagic", "BigGANGenerator"): Target(
        "mmagic_biggan", names.MMAGIC_BIGGAN_GENERATOR, names.with_slots, EITHER
    ),
    ("mmagic", "BigGANBackbone"): Target(
        "mmagic_biggan", names.MMAGIC_BIGGAN_DISCRIMINATOR, names.with_slots, EITHER
    ),
    ("mmagic", "ResNetGenerator"): Target(
        "mmagic_resnet", names.MMAGIC_RESNET_GENERATOR, names.with_slots, EITHER
    ),
    ("mmagic", "ResNetBackbone"): Target(
        "mmagic_resnet", names.MMAGIC_RESNET_DISCRIMINATOR, names.behind_first, EITHER
    ),
}


@dataclass(frozen=True)
class Exported:
    """One network in a peer's words.

    Attributes:
        format: name of the peer's format.
        state: the peer's keys -> tensors.
        spec: what the peer's constructor is called with, as a golden case describes it.
    """

    format: str
    state: State
    spec: Config


def export_network(to: str, role: str, config: Config, weights: Mapping[str, Tensor]) -> Exported:
    """Return a network of ours in the words of ``to``.

    The result is read again by the peer's loader: settings that it lacks show there.

    Args:
        to: ``biggan_pytorch``, ``studiogan`` or ``mmagic``.
        role: ``generator`` or ``discriminator``.
        config: of our network, as a config file has it.
        weights: by our names.

    Raises:
        NotCarried: the peer has no such network, or not all of its settings; the message says which.
    """
    network = build_network(role, config)
    network.load_state_dict(dict(weights))
    kind = type(network if role == GENERATOR else network.backbone).__name__
    target = TARGETS.get((to, kind))
    if target is None:
        known = ", ".join(name for peer, name in TARGETS if peer == to)
        raise NotCarried(f"{to} has no {kind}; it has counterparts of {known}")
    try:
        spec = SETTINGS[target.format](role, config, network)
        again = PEERS[target.format].build(spec).eval()
    except (ValueError, KeyError, TypeError) as error:
        raise NotCarried(f"{target.format} cannot hold this network: {error}") from error
    difference = _difference(network, again)
    if difference:
        raise NotCarried(f"{target.format} cannot hold this network: {difference}")
    state = suited_spectral(network.state_dict(), target.spectral)
    exported = Exported(
        target.format, _in_peers_words(suited_variances(state, network, again), target, config), spec
    )
    _check(exported, role, network)
    return exported


def _in_peers_words(state: State, target: Target, config: Config) -> State:
    table = _statistics(target, config)
    tables = (table,) if table is target.table else (target.table, table)
    renamed = back_names(state, tables, _place(target, config))
    theirs = {name: _peer_value(name, state[key]) for key, name in renamed.items()}
    return theirs | _counters(theirs)


def _place(target: Target, config: Config) -> Place:
    backbone = config.get("backbone", {})
    if backbone.get("type") == "BigGANDeepBackbone":
        return names.in_stages(int(backbone.get("depth", 2)))
    return target.place


def _statistics(target: Target, config: Config) -> Table:
    """Return the further table for a generator's batch norms, or the target's own where it needs none."""
    options = config.get("batch_norm") or {}
    if target.table is names.BIGGAN_GENERATOR:
        if options.get("add_gain"):
            return target.table
        return names.STORED_BELOW if options.get("biased_variance") else names.STORED
    if target.table is names.STUDIOGAN_GENERATOR:
        inner = config["type"] == "ResNetGenerator" and not config["num_classes"]
        return names.STUDIOGAN_PLAIN if inner else names.STUDIOGAN_CONDITIONAL
    return target.table


def _counters(state: State) -> State:
    """Return the counters that BigGAN-PyTorch's ``mybn`` keeps, at their start."""
    means = [key for key in state if key.endswith(".bn.stored_mean")]
    return {key.replace("stored_mean", "accumulation_counter"): torch.zeros(1) for key in means}


def _peer_value(key: str, value: Tensor) -> Tensor:
    """Return a value in the peer's shape."""
    last = key.rpartition(".")[2]
    if last[0] == "u" and last[1:].isdigit():
        return value[None].clone()
    return value.reshape(1).clone() if last == "sigma" else value.clone()


# --- checking --------------------------------------------------------------------------------------
def _check(exported: Exported, role: str, network: nn.Module) -> None:
    """Read the export as the peer's, and compare what both networks compute in evaluation.

    Raises:
        NotCarried: the peer's network is another one.
    """
    again = PEERS[exported.format].network(exported.spec, exported.state).module
    outputs = [_probe(each.eval(), role) for each in (network, again)]
    for name, value in outputs[0].items():
        other = outputs[1].get(name)
        if other is None or not torch.allclose(value, other, rtol=1e-4, atol=1e-5):
            raise NotCarried(
                f"{exported.format} would compute something else ({name or 'image'}): a setting such as "
                "activation_name, activated_shortcut, pooling or an option of batch norm is not the peer's"
            )


def _difference(network: nn.Module, other: nn.Module) -> str | None:
    """Return in which way the peer's network is built differently from ours, None if it is not.

    Torch's vectors of spectral norm may stand for ours.
    """
    ours, theirs = (
        {key: tuple(value.shape) for key, value in each.state_dict().items() if ".spectral." not in key}
        for each in (network, other)
    )
    if ours == theirs:
        return None
    channels = [_channels(shapes) for shapes in (ours, theirs)]
    if channels[0] != channels[1]:
        return f"its channels are {channels[0]}, the format's own at this size {channels[1]}"
    spare, absent = [key for key in ours if key not in theirs], [key for key in theirs if key not in ours]
    if spare or absent:
        return f"it has no place for {some(spare) or 'nothing'}, and wants {some(absent) or 'nothing more'}"
    wrong = [f"{key} {shape} (there {theirs[key]})" for key, shape in ours.items() if shape != theirs[key]]
    return f"other shapes: {some(wrong)}"


def _channels(shapes: Mapping[str, tuple[int, ...]]) -> list[int]:
    """Return the channels before the first block and after every one."""
    found = {
        key: shape[0] for key, shape in shapes.items() if re.search(r"blocks\.\d+\.conv[24]\.weight$", key)
    }
    last = {key.rpartition(".conv")[0]: width for key, width in sorted(found.items())}
    first = [
        shape[1]
        for key, shape in shapes.items()
        if re.search(r"^(backbone\.)?blocks\.0\.conv1\.weight$", key)
    ]
    return [*first, *last.values()]


@torch.no_grad()
def _probe(network: Any, role: str) -> dict[str, Tensor]:
    """Return what a network makes of two random inputs, images before they are squashed."""
    source = make_generator("export probe")
    condition = Condition(label=torch.zeros(2, dtype=torch.int64) if "label" in network.requires else None)
    if role == GENERATOR:
        latent = torch.randn(2, network.latent_dim, generator=source)
        return {"": network.convolve(network.features(latent, network.embed(condition)))}
    size = network.backbone.image_size
    outputs = network(torch.randn(2, 3, size, size, generator=source), condition)
    return {name: value for name, value in outputs.items() if not name.startswith("feature.")}


# --- files -----------------------------------------------------------------------------------------
def convert_back(
    source: str | Path, destination: str | Path | None, to: str, force: bool = False, dry_run: bool = False
) -> list[Path]:
    """Write a model of ours for another codebase; return the files.

    Args:
        source: shipped model, exported weights, or checkpoint of a run (with its discriminator).
        destination: folder. Its files have the peer's names: ``G_ema.pth`` (and ``G.pth``, ``D.pth``),
            ``model=G_ema-current-weights-step=N.pth``, or MMagic's ``iter_N.pth``; ``settings.json`` holds
            what the peer's constructors are called with.
        to: ``biggan_pytorch``, ``studiogan`` or ``mmagic``.
        force: replace files that are there.
        dry_run: only check that the format can carry the model.

    Raises:
        NotCarried: it cannot.
        FileExistsError: a file is there.
    """
    exports, step = _exports(source, to)
    if dry_run or destination is None:
        return []
    folder = Path(destination)
    if folder.suffix in (".pth", ".safetensors") or folder.is_file():
        raise ValueError(f"{folder}: with --to, DESTINATION is a folder")
    contents = LAYOUTS[to](exports, step)
    settings = {name: exported.spec for name, exported in exports.items()}
    paths = [folder / name for name in (*contents, "settings.json")]
    present = [path.name for path in paths if path.exists()]
    if present and not force:
        raise FileExistsError(f"{folder} holds {', '.join(present)}; --force replaces them")
    for name, content in contents.items():
        save_checkpoint(content, folder / name)
    text = json.dumps(settings, indent=2).encode() + b"\n"
    atomic_write(folder / "settings.json", lambda file: _write(file, text))
    return paths


def _write(file: Any, content: bytes) -> None:
    file.write(content)


def _exports(source: str | Path, to: str) -> tuple[dict[str, Exported], int]:
    """Return the networks of a model by the names that BigGAN-PyTorch gives them, and the iteration."""
    loaded = load_model(source)
    config = loaded.record.generator
    exports = {"G_ema": export_network(to, GENERATOR, config, loaded.model.generator.state_dict())}
    path = Path(source)
    if path.suffix == ".pth" and path.is_file():
        exports |= _of_run(path, to, config)
    return exports, loaded.record.iteration


def _of_run(path: Path, to: str, generator: Config) -> dict[str, Exported]:
    """Return the trained generator and the discriminator of a run's checkpoint."""
    run = read_run(path)
    found = {}
    players = {
        "generator.": (GENERATOR, generator, "G"),
        "discriminator.": (DISCRIMINATOR, run.part("discriminator"), "D"),
    }
    for prefix, (role, config, name) in players.items():
        weights = run.network(prefix)
        if weights and config is not None:
            checked_config = checked(config, run.origin, name, typed=False)
            found[name] = export_network(to, role, checked_config, weights)
    return found


Layout = Callable[[Mapping[str, Exported], int], dict[str, Any]]


def _biggan_files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    return {f"{name}.pth": exported.state for name, exported in exports.items()}


def _studiogan_files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    return {
        f"model={name}-current-weights-step={step}.pth": {"state_dict": exported.state, "step": step}
        for name, exported in exports.items()
    }


def _mmagic_files(exports: Mapping[str, Exported], step: int) -> dict[str, Any]:
    prefixes = {"G_ema": "generator_ema.", "G": "generator.", "D": "discriminator."}
    state = {
        f"{prefixes[name]}{key}": value
        for name, exported in exports.items()
        for key, value in exported.state.items()
    }
    return {f"iter_{step}.pth": {"state_dict": state, "meta": {"iter": step}}}


LAYOUTS: dict[str, Layout] = {
    "biggan_pytorch": _biggan_files,
    "studiogan": _studiogan_files,
    "mmagic": _mmagic_files,
}
