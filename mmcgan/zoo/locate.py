"""From what a user writes for a model to a file on this machine."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from mmcgan.checkpoints.hashing import stated_hash
from mmcgan.config import all_configs
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index, weight_path
from mmcgan.zoo.cache import converted_path, download_path
from mmcgan.zoo.download import check_address, download
from mmcgan.zoo.hub import SCHEME, WEIGHTS_NAME, HubAddress, fetch_from_hub
from mmcgan.zoo.record import ZooRecord
from mmcgan.zoo.store import find_record, published_records

GENERATOR = "generator"
SUFFIXES = (".safetensors", ".pth")
HASH = "#sha256="


def find_weights(source: str | Path) -> Path:
    """Return the file of weights that ``source`` means, fetched if it is elsewhere.

    Args:
        source: a file; name of a shipped model; name of a published one whose converted file is in the
            cache; ``https://`` address of exported weights, with ``#sha256=...`` behind it if known; or
            ``hf://user/repo[/file][@revision]``.

    Raises:
        FileNotFoundError: nothing of that name; says how to get a published model.
        ImportError: the hub needs an extra.
        ValueError: a config without weights, a bad address, or a hash that differs.
    """
    text = str(source)
    if text.startswith(SCHEME):
        return fetch_from_hub(text)
    if "://" in text:
        return _fetch(text)
    path = Path(source)
    if path.suffix in SUFFIXES:
        return path
    if text in read_index(GENERATOR):
        return weight_path(text, GENERATOR)
    record = find_record(text)
    if record is None:
        raise _unknown(text)
    return _converted(record)


def known_licence(name: str) -> str | None:
    """Return the licence of a shipped or published model's weights; None if that is not known, or no such."""
    entry = read_index(GENERATOR).get(name)
    if entry is not None:
        return entry.get("license")
    record = find_record(name)
    return None if record is None else record.licence


def short_name(source: str | Path, path: Path) -> str:
    """Return what a model is called in messages: its file's name, or its repository's on the hub."""
    if str(source).startswith(SCHEME):
        address = HubAddress.parse(str(source))
        return Path(address.file).stem if address.file != WEIGHTS_NAME else address.repo.rpartition("/")[2]
    return path.stem


def _fetch(text: str) -> Path:
    url, stated, digits = text.partition(HASH)
    if "#" in url:
        raise ValueError(f"{text}: what follows the # must be sha256=HASH")
    expected = stated_hash(digits, f"{url}: sha256") if stated else None
    check_address(url)
    path = download_path(url)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{url}: weights are named *.safetensors or *.pth; convert other files first")
    return download(url, path, expected)


def _converted(record: ZooRecord) -> Path:
    path = converted_path(record.name)
    if path.is_file():
        return path
    raise FileNotFoundError(
        f"{record.name} is a published model that is not here yet. {how_to_get(record)} "
        f"With the result at {path} its name is enough."
    )


def how_to_get(record: ZooRecord) -> str:
    """Return sentences that say how a published model becomes a file of ours."""
    if record.conversion is None:
        return f"See {record.source}: mmcgan convert does not know the form of {record.weights}."
    if record.weights is None:
        return f"We know of no direct link: see {record.source}; then run: {record.conversion}"
    return f"Download {record.weights}, then run: {record.conversion}"


def _unknown(name: str) -> Exception:
    known, configs = list(read_index(GENERATOR)), [file.stem for file in all_configs()]
    if Path(name).is_file() and Path(name).suffix != ".py":
        return ValueError(
            f"{name}: weights are read from *.safetensors, or a run's *.pth; make one of another code base's "
            f"file: mmcgan convert {name} OUT.safetensors"
        )
    if Path(name).stem in configs or Path(name).is_file():
        return ValueError(
            f"{name} is a config: give its checkpoint too. Shipped models: {', '.join(known) or 'none'}"
        )
    close = get_close_matches(name, [*known, *published_records(), *configs], n=1)
    hint = nearest(name, [*known, *published_records(), *configs] if close else known or configs)
    return FileNotFoundError(f"no shipped model, config or weights file {name!r}.{hint}")
