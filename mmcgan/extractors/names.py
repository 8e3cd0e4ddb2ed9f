"""Short names of extractors, for command lines and protocols."""

from __future__ import annotations

from typing import Any

from mmcgan.registry import nearest
from mmcgan.weights import read_index

EXTRACTOR_NAMES: dict[str, dict[str, Any]] = {
    "inception": dict(type="InceptionV3"),
    "tero-inception": dict(type="TeroInception"),
    "torchvision-inception": dict(type="TorchvisionInception"),
    "swav": dict(type="SwAV"),
    "dino": dict(type="DINO"),
    "dino-resnet50": dict(type="DINO", model="resnet50"),
}
TIMM = "timm:"


def extractor_config(name: str, weights: str | None = None, resize: str | None = None) -> dict[str, Any]:
    """Return the config of an extractor.

    Args:
        name: a key of :data:`EXTRACTOR_NAMES`, a shipped classifier (``digits-16``), ``timm:MODEL``, or a
            file of ``tools/train_classifier.py``.
        weights: file of weights, where the name alone does not say.
        resize: a key of ``RESIZE_RULES``; None leaves the extractor's own.

    Raises:
        ValueError: an unknown name; suggests others.
    """
    shipped, attributes = read_index("classifier"), read_index("attribute-classifier")
    if name in attributes and weights is None and resize is None:
        return dict(type="AttributeClassifier", weights=name)
    if name in shipped or name.endswith(".safetensors"):
        return _small(name, weights, resize)
    if name.startswith(TIMM):
        config: dict[str, Any] = dict(type="TimmExtractor", model=name.removeprefix(TIMM))
    elif name in EXTRACTOR_NAMES:
        config = dict(EXTRACTOR_NAMES[name])
    else:
        choices = [*EXTRACTOR_NAMES, *shipped, *attributes, "timm:MODEL"]
        raise ValueError(f"no extractor {name!r}.{nearest(name, choices)}")
    given = {"weights": weights, "resize": resize}
    return {**config, **{key: value for key, value in given.items() if value is not None}}


def _small(name: str, weights: str | None, resize: str | None) -> dict[str, Any]:
    for option, value in (("weights", weights), ("resize", resize)):
        if value is not None:
            raise ValueError(f"the small classifier {name!r} has no choice of {option}")
    return dict(type="SmallClassifier", weights=name)
