"""Our weights in another codebase's form, with the settings that build them there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.checkpoints.atomic import atomic_write
from mmcgan.closed_world import checked
from mmcgan.peers.reading.resolving import some
from mmcgan.peers.reading.shapes import Config
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR, PEERS, Exported, PeerFormat, build_network
from mmcgan.peers.translation.registry import writable_formats
from mmcgan.peers.writing.files import SETTINGS_FILE
from mmcgan.peers.writing.probing import probe
from mmcgan.peers.writing.spectral_vectors import NotCarried, suited_spectral, suited_variances
from mmcgan.zoo.models import load_model
from mmcgan.zoo.reading import read_run

State = dict[str, Tensor]


def export_network(to: str, role: str, config: Config, weights: Mapping[str, Tensor]) -> Exported:
    """Return a network of ours in the words of ``to``.

    The result is read again by the peer's loader: settings that it lacks show there.

    Args:
        to: the peer, one of those that :func:`peers_written_for` returns.
        role: ``generator`` or ``discriminator``.
        config: of our network, as a config file has it.
        weights: by our names.

    Raises:
        NotCarried: the peer has no such network, or not all of its settings; the message says which.
    """
    network = build_network(role, config)
    network.load_state_dict(dict(weights))
    refusals = []
    for form in _formats_of(to, role, type(network if role == GENERATOR else network.backbone).__name__):
        try:
            return _exported(form, role, config, network)
        except NotCarried as error:
            refusals.append(str(error))
    raise NotCarried("; ".join(refusals))


def _exported(form: PeerFormat, role: str, config: Config, network: Any) -> Exported:
    """Return a network in the words of one format.

    Raises:
        NotCarried: the format has no such network, or not all of its settings.
    """
    assert form.writing is not None
    try:
        spec = form.writing.describe(role, config, network)
        again = form.build(spec).eval()
    except (ValueError, KeyError, TypeError) as error:
        raise NotCarried(f"{form.name} cannot hold this network: {error}") from error
    if not form.accepts(spec):
        raise NotCarried(f"{form.name} is another form of this network")
    difference = _difference(network, again)
    if difference:
        raise NotCarried(f"{form.name} cannot hold this network: {difference}")
    state = suited_spectral(network.state_dict(), form.writing.spectral)
    state = form.back_state(suited_variances(state, network, again), role, form.writing.facts(config))
    exported = Exported(form.name, state | form.writing.extras(state, network), spec)
    _check(exported, role, config, network)
    return exported


def peers_written_for() -> list[str]:
    """Return the peers that networks of ours can be written for."""
    return list(dict.fromkeys(form.peer for form in writable_formats()))


def _formats_of(to: str, role: str, kind: str) -> list[PeerFormat]:
    """Return the formats of a peer that have a counterpart of a class of ours.

    Raises:
        NotCarried: none; the message names the classes that have one, or says what the peer lacks.
        ValueError: nothing is written for this peer.
    """
    forms = writable_formats(to)
    if not forms:
        raise ValueError(f"--to {to}: nothing is written for it, only for {', '.join(peers_written_for())}")
    found = [form for form in forms if form.writing and kind in form.writing.kinds]
    if not found:
        lacking = next((form.lacks[role] for form in forms if role in form.lacks), None)
        known = ", ".join(dict.fromkeys(k for form in forms if form.writing for k in form.writing.kinds))
        raise NotCarried(lacking or f"{to} has no {kind}; it has counterparts of {known}")
    return found


# --- checking -------------------------------------------------------------------------------------
def _check(exported: Exported, role: str, config: Config, network: nn.Module) -> None:
    """Read the export as the peer's, and compare what both networks compute in evaluation.

    Raises:
        NotCarried: the peer's network is another one.
    """
    again = PEERS[exported.format].network(exported.spec, exported.state).module
    outputs = [probe(each, role, config) for each in (network, again)]
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


# --- files ----------------------------------------------------------------------------------------
def convert_back(
    source: str | Path,
    destination: str | Path | None,
    to: str,
    force: bool = False,
    dry_run: bool = False,
    generator_only: bool = False,
) -> list[Path]:
    """Write a model of ours for another codebase; return the files.

    Args:
        source: shipped model, exported weights, or checkpoint of a run (with its discriminator).
        destination: folder. Its files have the peer's names, such as ``G_ema.pth`` (and ``G.pth``,
            ``D.pth``), MMagic's ``iter_N.pth`` or SPADE's ``latest_net_G.pth``; ``settings.json`` holds what
            the peer's constructors are called with, and lets the files be read again.
        to: the peer, see :func:`peers_written_for`.
        force: replace files that are there.
        dry_run: only check that the format can carry the model.
        generator_only: write the averaged generator of a run alone.

    Raises:
        NotCarried: it cannot.
        FileExistsError: a file is there.
    """
    exports, step = _exports(source, to, generator_only)
    if dry_run or destination is None:
        return []
    folder = Path(destination)
    if folder.suffix in (".pth", ".safetensors") or folder.is_file():
        raise ValueError(f"{folder}: with --to, DESTINATION is a folder")
    return write_files(exports, step, folder, force)


def write_files(exports: Mapping[str, Exported], step: int, folder: Path, force: bool = False) -> list[Path]:
    """Write exported networks as their peer does, and ``settings.json`` beside them; return the files.

    Args:
        exports: by the names ``G_ema``, ``G`` and ``D``; all of one peer.
        step: iteration, which some peers have in names.
        folder: where to.
        force: replace files that are there.

    Raises:
        FileExistsError: a file is there; nothing is written.
    """
    writing = PEERS[next(iter(exports.values())).format].writing
    assert writing is not None
    contents = writing.files(exports, step)
    settings = {name: {"format": exported.format, **exported.spec} for name, exported in exports.items()}
    paths = [folder / name for name in (*contents, SETTINGS_FILE)]
    present = [path.name for path in paths if path.exists()]
    if present and not force:
        raise FileExistsError(f"{folder} holds {', '.join(present)}; --force replaces them")
    for name, content in contents.items():
        # nothing of ours inside, such as a checksum: the peer loads it strictly
        atomic_write(folder / name, partial(_write if isinstance(content, bytes) else torch.save, content))
    text = json.dumps(settings, indent=2).encode() + b"\n"
    atomic_write(folder / SETTINGS_FILE, partial(_write, text))
    return paths


def _write(content: bytes, file: Any) -> None:
    file.write(content)


def _exports(source: str | Path, to: str, generator_only: bool) -> tuple[dict[str, Exported], int]:
    """Return the networks of a model by the names that BigGAN-PyTorch gives them, and the iteration."""
    loaded = load_model(source)
    config = loaded.record.generator
    exports = {"G_ema": export_network(to, GENERATOR, config, loaded.model.generator.state_dict())}
    path = Path(source)
    if path.suffix == ".pth" and path.is_file() and not generator_only:
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
