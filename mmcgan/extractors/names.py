"""Short names of extractors, for command lines and protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mmcgan.checkpoints.file_kind import why_unreadable
from mmcgan.closed_world import parse_record
from mmcgan.registry import EXTRACTORS
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index

TIMM = "timm"


def short_names() -> dict[str, dict[str, Any]]:
    """Return the config of every short name that a registered extractor declares; of two alike, ours."""
    return _declared("short_names")


def file_names() -> dict[str, dict[str, Any]]:
    """Return the config, but for ``weights``, of every name that a file follows: ``NAME:FILE``."""
    return _declared("file_names")


def _declared(table: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, kind in EXTRACTORS.named().items():
        for short, settings in getattr(kind, table).items():
            found.setdefault(short, {"type": name, **settings})
    return found


def shipped_kinds() -> dict[str, str]:
    """Return kind of shipped weights -> name of the extractor that is built from them."""
    return {kind.weight_kind: name for name, kind in EXTRACTORS.named().items() if kind.weight_kind}


def extractor_config(name: str, weights: str | None = None, resize: str | None = None) -> dict[str, Any]:
    """Return the config of an extractor.

    Args:
        name: a short name, see :func:`short_names`; a shipped classifier (``digits-16``) or extractor
            (``fashion-mnist-ssl``); a file made by ``mmcgan train-classifier`` or ``mmcgan
            train-ssl-extractor``; ``timm:MODEL``, or one of :func:`file_names` (``balanced-resnet50`` is
            classifier-balancing of ImageNet-LT), and, after another colon, their file of weights.
        weights: file of weights, where the name does not say.
        resize: a key of ``RESIZE_RULES``; None leaves the extractor's own.

    Raises:
        FileNotFoundError: a file that is part of the name is not there.
        ValueError: an unknown name (suggests others), a file of another kind, or a choice that the extractor
            does not have.
    """
    config = _small(name)
    if config is not None:
        for option, value in (("weights", weights), ("resize", resize)):
            if value is not None:
                raise ValueError(f"the small extractor {name!r} has no choice of {option}")
        return config
    given = {"weights": weights, "resize": resize}
    return {**_published(name), **{key: value for key, value in given.items() if value is not None}}


def _small(name: str) -> dict[str, Any] | None:
    """Return the config of a small network of a file of its own format, None for other names."""
    for kind, extractor in shipped_kinds().items():
        if name in read_index(kind):
            return dict(type=extractor, weights=name)
    path = Path(name).expanduser()
    if path.is_file():
        return dict(type=_kind_of_file(path), weights=name)
    if name.partition(":")[0] in (TIMM, *file_names()) or not (path.suffix or "/" in name):
        return None
    raise FileNotFoundError(f"extractor {name}: no such file")


def _published(name: str) -> dict[str, Any]:
    short, followed = short_names(), file_names()
    if name in short:
        return dict(short[name])
    kind, _, rest = name.partition(":")
    if kind in followed:
        return {**followed[kind], "weights": _existing(rest, name)}
    if kind == TIMM and rest:
        model, colon, path = rest.partition(":")
        return dict(
            type="TimmExtractor", model=model, **(dict(weights=_existing(path, name)) if colon else {})
        )
    shipped = sorted(each for kind in shipped_kinds() for each in read_index(kind))
    forms = [*short, *shipped, *(f"{kind}:FILE" for kind in followed), "timm:MODEL:FILE"]
    hint = nearest(name, [*short, *shipped])
    raise ValueError(f"no extractor {name!r}.{hint} Choose one of {', '.join(forms)}, or a .safetensors file")


def _existing(path: str, name: str) -> str:
    if not path or not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f"extractor {name}: no weight file {path or '(none given)'}; nothing is downloaded: fetch the "
            "file yourself and give its path after the colon"
        )
    return path


def _kind_of_file(path: Path) -> str:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(
            f"{path}: not a readable safetensors file ({why_unreadable(path, error)})"
        ) from error
    written = str(metadata.get("format", ""))
    kinds = EXTRACTORS.named().items()
    fitting = {name: x for name, x in kinds if x.file_format and written.startswith(x.file_format)}
    record = parse_record(metadata.get("record"), path) if len(fitting) > 1 else {}
    for name, kind in fitting.items():
        if kind.takes_record(record):
            return name
    raise ValueError(
        f"{path}: its metadata names no extractor (format {written!r}); for plain weights say which network: "
        f"timm:MODEL:{path}"
    )
