"""A picture of figures that have no curve: a point for each seed of each arm."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

#: positive figures of one picture that lie further apart than this are drawn on a logarithmic axis
WIDE = 20


def draw_points(key: str, arms: Mapping[str, Sequence[float]]) -> bytes:
    """Return a PNG: a row for each arm, a point for each seed, a bar at their mean, a line along each seed.

    Args:
        key: what the figure is called.
        arms: label of an arm -> its figures, in the order of the seeds; arms without figures are left out.

    Raises:
        ValueError: there are no figures.
    """
    from matplotlib.figure import Figure  # slow to import

    shown = {label: list(values) for label, values in arms.items() if values}
    if not shown:
        raise ValueError("no figures to draw")
    picture = Figure(figsize=(6, 0.9 + 0.45 * len(shown)), layout="constrained")
    axis = picture.subplots()
    every = [value for values in shown.values() for value in values]
    if len({len(values) for values in shown.values()}) == 1:  # differences of the same seed are what decides
        axis.plot(list(shown.values()), range(len(shown)), color="0.8", linewidth=0.8, zorder=1)
    for row, values in enumerate(shown.values()):
        axis.plot(values, [row] * len(values), "o", color=f"C{row}", alpha=0.7)
        axis.plot([sum(values) / len(values)], [row], "|", color=f"C{row}", markersize=18)
    axis.set_yticks(range(len(shown)), list(shown))
    axis.set_ylim(len(shown) - 0.5, -0.5)  # the first arm above
    axis.set_xscale("log" if min(every) > 0 and max(every) > WIDE * min(every) else "linear")
    axis.set_title(key, loc="left", fontsize="medium")
    axis.grid(alpha=0.3, axis="x")
    stream = io.BytesIO()
    picture.savefig(stream, format="png", dpi=90)
    return stream.getvalue()
