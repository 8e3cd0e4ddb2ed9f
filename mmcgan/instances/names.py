"""What ``--extractor NAME`` may be, as the config of an extractor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mmcgan.registry import nearest
from mmcgan.weights import read_index

EFFICIENTNET = "efficientnet-lite0"
# prefixes of keys in the published files that are no part of the backbone
RESNETS: dict[str, tuple[str, ...]] = {
    "swav-resnet50": ("projection_head.", "prototypes."),
    "supervised-resnet50": (),
    "balanced-resnet50": (),
}
# first word of the metadata field "format" of our own files -> extractor
FILE_FORMATS = {
    "mmcgan-small-classifier": "SmallClassifier",
    "mmcgan-ssl-extractor": "SelfSupervisedExtractor",
}
# kinds of shipped weights -> extractor
SHIPPED = {"classifier": "SmallClassifier", "ssl-extractor": "SelfSupervisedExtractor"}


def extractor_config(name: str) -> dict[str, Any]:
    """Return the extractor config that a name on the command line stands for.

    ``efficientnet-lite0``; a shipped classifier (``digits-16``) or extractor (``fashion-mnist-ssl``); a file
    made by ``mmcgan train-ssl-extractor`` or ``mmcgan train-classifier``; ``swav-resnet50:FILE``,
    ``supervised-resnet50:FILE``, ``balanced-resnet50:FILE`` (classifier-balancing ImageNet-LT);
    ``timm:MODEL:FILE``.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: no such name, or a file of another kind.
    """
    if name == EFFICIENTNET:
        return dict(type="EfficientNetLite0")
    for kind, extractor in SHIPPED.items():
        if name in read_index(kind):
            return dict(type=extractor, weights=name)
    kind, _, rest = name.partition(":")
    if kind in RESNETS:
        return dict(
            type="TimmExtractor", model="resnet50", weights=_existing(rest, name), ignore=RESNETS[kind]
        )
    if kind == "timm" and ":" in rest:
        model, _, path = rest.partition(":")
        return dict(type="TimmExtractor", model=model, weights=_existing(path, name))
    if Path(name).expanduser().is_file():
        return dict(type=_kind_of_file(Path(name).expanduser()), weights=name)
    shipped = [EFFICIENTNET, *sorted(each for kind in SHIPPED for each in read_index(kind))]
    if Path(name).suffix or "/" in name:
        raise FileNotFoundError(f"--extractor {name}: no such file")
    forms = [*shipped, *(f"{kind}:FILE" for kind in RESNETS), "timm:MODEL:FILE", "a .safetensors file"]
    raise ValueError(f"--extractor {name}: choose one of {', '.join(forms)}.{nearest(name, shipped)}")


def _existing(path: str, name: str) -> str:
    if not path or not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f"--extractor {name}: no weight file {path or '(none given)'}; nothing is downloaded: fetch the "
            "file yourself and give its path after the colon"
        )
    return path


def _kind_of_file(path: Path) -> str:
    try:
        with safe_open(path, framework="pt") as file:
            written = str((file.metadata() or {}).get("format", ""))
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    for start, kind in FILE_FORMATS.items():
        if written.startswith(start):
            return kind
    raise ValueError(
        f"{path}: its metadata names no extractor (format {written!r}); for plain weights say which network: "
        f"--extractor timm:MODEL:{path}"
    )
