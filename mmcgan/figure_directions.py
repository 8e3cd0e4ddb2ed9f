"""Which way a figure is better, as the metric that computes it declares."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from mmcgan.registry import GENERATION_METRICS

LESS, GREATER = "less", "greater"
#: last words of figures that no metric of ours or a plugin's computes
PLAIN_WORDS = {"loss": LESS, "error": LESS, "accuracy": GREATER}
SPREAD = "_std"


def better(figure: str) -> str | None:
    """Return ``less`` or ``greater`` if it is known which is better of ``figure``, else None.

    A prefix with a slash (``inception/fid``) is looked through; a figure's spread has no better way.

    Examples:
        >>> better("inception/fid"), better("recall"), better("d_loss_real")
        ('less', 'greater', None)
    """
    if figure.endswith(SPREAD):
        return None
    name = figure
    while True:
        for pattern, way in declared().items():
            if fnmatchcase(name, pattern):
                return way
        prefix, slash, name = name.partition("/")
        if not slash:
            return PLAIN_WORDS.get(prefix.rpartition("_")[2])


def declared() -> dict[str, str]:
    """Return pattern -> way of all registered metrics, exact names before patterns."""
    return _declared(tuple(GENERATION_METRICS.named().values()))


@cache
def _declared(metrics: tuple[Any, ...]) -> dict[str, str]:
    found = {pattern: way for metric in metrics for pattern, way in metric.better.items()}
    return dict(sorted(found.items(), key=lambda item: ("*" in item[0], item[0])))
