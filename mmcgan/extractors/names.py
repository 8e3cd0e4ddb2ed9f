"""Short names of extractors, for command lines and protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from mmcgan.closed_world import parse_record
from mmcgan.suggestions import nearest
from mmcgan.weights import read_index

EXTRACTOR_NAMES: dict[str, dict[str, Any]] = {
    "inception": dict(type="InceptionV3"),
    "tero-inception": dict(type="TeroInception"),
    "torchvision-inception": dict(type="TorchvisionInception"),
    "swav": dict(type="SwAV"),
    "dino": dict(type="DINO"),
    "dino-resnet50": dict(type="DINO", model="resnet50"),
    "efficientnet-lite0": dict(type="EfficientNetLite0"),
}
# prefixes of keys in the published files that are no part of the backbone
RESNETS: dict[str, tuple[str, ...]] = {
    "swav-resnet50": ("projection_head.", "prototypes."),
    "supervised-resnet50": (),
    "balanced-resnet50": (),
}
# kinds of shipped weights -> extractor
SHIPPED = {
    "classifier": "SmallClassifier",
    "attribute-classifier": "AttributeClassifier",
    "ssl-extractor": "SelfSupervisedExtractor",
}
# first words of the metadata field "format" of our own files
CLASSIFIER_FILE, SSL_FILE = "mmcgan-small-classifier", "mmcgan-ssl-extractor"


def extractor_config(name: str, weights: str | None = None, resize: str | None = None) -> dict[str, Any]:
    """Return the config of an extractor.

    Args:
        name: a key of :data:`EXTRACTOR_NAMES`; a shipped classifier (``digits-16``) or extractor
            (``fashion-mnist-ssl``); a file made by ``mmcgan train-classifier`` or ``mmcgan
            train-ssl-extractor``; ``timm:MODEL``, or one of :data:`RESNETS` (``balanced-resnet50`` is
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
    """Return the config of one of our own small networks, None for other names."""
    for kind, extractor in SHIPPED.items():
        if name in read_index(kind):
            return dict(type=extractor, weights=name)
    path = Path(name).expanduser()
    if path.is_file():
        return dict(type=_kind_of_file(path), weights=name)
    if name.partition(":")[0] in ("timm", *RESNETS) or not (path.suffix or "/" in name):
        return None
    raise FileNotFoundError(f"extractor {name}: no such file")


def _published(name: str) -> dict[str, Any]:
    if name in EXTRACTOR_NAMES:
        return dict(EXTRACTOR_NAMES[name])
    kind, _, rest = name.partition(":")
    if kind in RESNETS:
        return dict(
            type="TimmExtractor", model="resnet50", weights=_existing(rest, name), ignore=RESNETS[kind]
        )
    if kind == "timm" and rest:
        model, colon, path = rest.partition(":")
        return dict(
            type="TimmExtractor", model=model, **(dict(weights=_existing(path, name)) if colon else {})
        )
    shipped = sorted(each for kind in SHIPPED for each in read_index(kind))
    forms = [*EXTRACTOR_NAMES, *shipped, *(f"{kind}:FILE" for kind in RESNETS), "timm:MODEL:FILE"]
    hint = nearest(name, [*EXTRACTOR_NAMES, *shipped])
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
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    written = str(metadata.get("format", ""))
    if written.startswith(CLASSIFIER_FILE):
        of_attributes = parse_record(metadata.get("record"), path).get("attributes")
        return SHIPPED["attribute-classifier" if of_attributes else "classifier"]
    if written.startswith(SSL_FILE):
        return SHIPPED["ssl-extractor"]
    raise ValueError(
        f"{path}: its metadata names no extractor (format {written!r}); for plain weights say which network: "
        f"timm:MODEL:{path}"
    )
