"""Opening a stranger's file or folder: which networks it holds, and what it says about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from mmcgan.checkpoints.file_kind import why_unreadable
from mmcgan.checkpoints.files import CheckpointError, load_checkpoint, strip_prefix
from mmcgan.checkpoints.literals import assignments
from mmcgan.checkpoints.restricted import read_untrusted, state_dict_of
from mmcgan.checkpoints.stand_ins import Record
from mmcgan.text_files import read_json

State = dict[str, Tensor]
SUFFIXES = (".pth", ".pt", ".pkl", ".bin", ".safetensors", ".ckpt", ".tar")
#: What wrappers put in front of every key: DataParallel, compiled modules, common attribute names.
WRAPPERS = ("module.", "_orig_mod.", "model.", "netG.", "netD.", "net.")
#: Names under which checkpoints keep several networks.
AVERAGED = ("g_ema", "generator_ema", "netg_ema", "params_ema", "ema", "ema_generator", "gen_ema")
PLAYERS = ("g", "generator", "netg", "gen", "d", "discriminator", "netd", "dis", "disc", "params")
CONTAINERS = ("state_dict", "model", "models", "weights", "networks", "net", "model_state_dict")

#: What only checkpoints of ours hold: the state of the model's random streams.
OWN_KEY = "random._extra_state"
#: Parts of a model that are no networks.
IGNORED = ("data_preprocessor",)


@dataclass
class Found:
    """One network of a source.

    Attributes:
        name: where it was: a file's name, a key, or both.
        state: the peer's keys -> tensors, without wrappers.
        averaged: whether it is a moving average of the generator.
        settings: what the source says about it in the peer's words.
        wrappers: prefixes that were cut off.
        described: what ``convert --to`` wrote beside it: name of the network -> format and settings.
    """

    name: str
    state: State
    averaged: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    wrappers: tuple[str, ...] = ()
    described: dict[str, Any] = field(default_factory=dict)


def read_source(path: str | Path) -> list[Found]:
    """Return the networks of a file or folder; nothing in it is executed.

    Args:
        path: a checkpoint (.pth, .pt, .pkl, .bin, .safetensors), or a folder with a BigGAN-PyTorch run,
            a StudioGAN run or a HuggingFace model.

    Raises:
        FileNotFoundError: nothing there.
        CheckpointError: damaged, refused, without weights, or a file of ours.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint file or folder {path}")
    _refuse_own_weights(path)
    found = list(networks(read_file(path), path.name))
    if any(OWN_KEY in network.state for network in found):
        raise CheckpointError(
            f"{path} is a checkpoint of mmcgan itself, which needs no conversion: use it as it is, share it "
            "with export-weights, or write it for another codebase with convert --to"
        )
    if not found:
        raise CheckpointError(f"{path} holds no weights: no dictionary of tensors was found in it")
    described = _beside(path)
    for network in found:
        network.settings = {**described, **network.settings}
    return found


def _refuse_own_weights(path: Path) -> None:
    """Raise CheckpointError for exported weights of ours: their names resemble those of others."""
    if path.suffix != ".safetensors":
        return
    try:
        with safe_open(path, framework="pt") as file:
            written = str((file.metadata() or {}).get("format", ""))
    except (SafetensorError, OSError, ValueError):
        return  # said by whoever reads the weights
    if written.startswith("mmcgan-"):
        raise CheckpointError(
            f"{path} is a file of mmcgan itself ({written}), which needs no conversion: use it as it is, or "
            "write it for another codebase with convert --to"
        )


def read_file(path: Path) -> Any:
    """Return the content of one file as plain data.

    Raises:
        CheckpointError: damaged, or asking for more than data.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise CheckpointError(
                f"{path}: not a readable safetensors file ({why_unreadable(path, error)})"
            ) from error
    try:
        return load_checkpoint(path)
    except CheckpointError:
        return read_untrusted(path)  # old files, settings inside, whole modules: as data


# --- networks inside a file -----------------------------------------------------------------------
def networks(content: Any, name: str, averaged: bool = False) -> Iterator[Found]:
    """Yield every state dict inside ``content``, whatever dictionaries are around it."""
    if isinstance(content, Record):
        if "_parameters" in content.state or "_modules" in content.state:
            settings = _plain_settings(content.state.get("_init_kwargs"))
            yield from _split(state_dict_of(content), name, averaged, settings)
            return
        content = content.state
    if not isinstance(content, Mapping):
        return
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if len(tensors) > 1 and any("." in key for key in tensors):
        yield from _split(tensors, name, averaged, {})
        return
    settings = _training_settings(content)
    for key, value in content.items():
        word = str(key).lower()
        if word in AVERAGED or word in PLAYERS or word in CONTAINERS or isinstance(value, Record):
            where = name if word in CONTAINERS else f"{name}: {key}"
            for found in networks(value, where, averaged or word in AVERAGED):
                found.settings = {**settings, **found.settings}
                yield found


def _training_settings(content: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the settings that BigGAN-PyTorch's and ic_gan's checkpoints carry."""
    for key in ("config", "args", "opt"):
        value = content.get(key)
        value = value.state if isinstance(value, Record) else value
        if isinstance(value, Mapping):
            return _plain_settings(value)
    return _written_config(content.get("meta"))


def _written_config(meta: Any) -> dict[str, Any]:
    """Return the model of the config that MMGeneration's and MMagic's runners write into checkpoints."""
    texts = [meta.get(key) for key in ("config", "cfg")] if isinstance(meta, Mapping) else []
    for text in texts:
        try:
            model = assignments(text).get("model") if isinstance(text, str) else None
        except ValueError:
            continue  # a config that does more than assign: its settings have to be given
        if isinstance(model, Mapping):
            return {"model": dict(model)}
    return {}


def _plain_settings(value: Any) -> dict[str, Any]:
    value = value.state if isinstance(value, Record) else value
    if not isinstance(value, Mapping):
        return {}
    return {str(key): _plain_value(entry) for key, entry in value.items() if not isinstance(entry, Tensor)}


def _plain_value(value: Any) -> Any:
    return _plain_settings(value) if isinstance(value, Record | Mapping) else value


def _split(state: State, name: str, averaged: bool, settings: dict[str, Any]) -> Iterator[Found]:
    """Cut off wrappers, and separate networks that lie side by side under their names."""
    state, wrappers = unwrap(state)
    heads = {key.partition(".")[0] for key in state}
    players = {head for head in heads if head.lower() in (*AVERAGED, *PLAYERS)}
    # one name among others may be a part of a network; several of them, or one over all, are players
    apart = players if len(players) > 1 or players == heads else set()
    for head in sorted(apart):
        inner = {key[len(head) + 1 :]: v for key, v in state.items() if key.startswith(f"{head}.")}
        inner, more = unwrap(inner)
        yield Found(f"{name}: {head}", inner, head.lower() in AVERAGED, dict(settings), wrappers + more)
    passed = {*apart, *(IGNORED if apart else ())}
    rest = {key: value for key, value in state.items() if key.partition(".")[0] not in passed}
    if rest and not (apart and all("." not in key for key in rest)):
        yield Found(name, rest, averaged, settings, wrappers)


def unwrap(state: State) -> tuple[State, tuple[str, ...]]:
    """Return ``state`` without the prefixes that wrappers put in front of all keys, and these."""
    cut: list[str] = []
    while True:
        wrapper = next((w for w in WRAPPERS if state and all(key.startswith(w) for key in state)), None)
        if wrapper is None:
            return state, tuple(cut)
        state = strip_prefix(state, wrapper)
        cut.append(wrapper)


# --- folders --------------------------------------------------------------------------------------
def _beside(path: Path) -> dict[str, Any]:
    """Return what files beside a checkpoint say: HuggingFace's config.json."""
    config = path.parent / "config.json"
    if path.name not in ("pytorch_model.bin", "model.safetensors") or not config.is_file():
        return {}
    try:
        settings: dict[str, Any] = read_json(config, "the settings of a model")
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    return settings


def _read_folder(folder: Path) -> list[Found]:
    files = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES and path.is_file()]
    settings_file = next((path for path in files if re.match(r"state_dict(_\w+)?\.pth$", path.name)), None)
    looked_for = ((role, _one_file(folder, files, role)) for role in ("G_ema", "G", "D"))
    chosen = {role: path for role, path in looked_for if path is not None}
    if not chosen:
        models = [path for path in files if path.name in ("pytorch_model.bin", "model.safetensors")]
        models = models or files
        if len(models) == 1:
            return read_source(models[0])
        names = ", ".join(path.name for path in files) or "no checkpoint files"
        raise CheckpointError(
            f"{folder}: expected G_ema.pth, G.pth or D.pth, model=G…, or one model file; found {names}"
        )
    settings = _training_settings(read_file(settings_file)) if settings_file else {}
    found = []
    for role, path in chosen.items():
        for network in networks(read_file(path), path.name, role == "G_ema"):
            network.settings = {**settings, **network.settings}
            network.state |= _encoder_beside(path)
            found.append(network)
    return found


def _encoder_beside(path: Path) -> State:
    """Return the encoder that SPADE keeps beside ``<epoch>_net_G.pth``, under the generator's names."""
    file = path.with_name(path.name.replace("_net_G.", "_net_E."))
    if file == path or not file.is_file():
        return {}
    states = (network.state for network in networks(read_file(file), file.name))
    return {f"encoder.{key}": value for state in states for key, value in state.items()}


def _one_file(folder: Path, files: list[Path], role: str) -> Path | None:
    """Return the file of one network: ``G.pth``, ``G_best0.pth``, ``model=G-best-…``, ``latest_net_G.pth``.

    Raises:
        CheckpointError: several; the message names them.
    """
    own = re.compile(rf"(?:{role}(?:_(?!ema|optim)\w+)?\.pth|model={role}-\S+\.pth|\w+_net_{role}\.pth)$")
    found = [path for path in files if own.match(path.name)]
    for preferred in (rf"{role}\.pth$", rf"model={role}-best-", "latest_net_"):
        exact = [path for path in found if re.match(preferred, path.name)]
        found = exact if len(exact) == 1 else found
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder} holds several {role}: {names}; give one of these files")
    return found[0] if found else None
