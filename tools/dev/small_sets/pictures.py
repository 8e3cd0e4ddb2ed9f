"""Pictures of trainings on small sets: rows of samples, curves over time and over images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mmcgan.proposal.figures import CONDITIONINGS, FAMILIES, SETS, Run

#: samples of each training in a picture, and their side
SHOWN, SIDE = 16, 64
COLOURS = dict(zip(FAMILIES, ("tab:blue", "tab:orange", "tab:green", "tab:red"), strict=True))
DASHES = dict(zip(CONDITIONINGS, (":", (0, (6, 1, 1, 1, 1, 1)), "--", "-.", "-"), strict=True))


def sample_picture(
    state: Path, runs: Sequence[Run], name: str, sheet: Path, before: Sequence[Run]
) -> bytes | None:
    """Return a picture of a set: a row of samples for each training, None where one of them has no samples.

    Args:
        state: of the benchmark, whose grids are taken.
        runs: that the picture is of.
        name: of the set.
        sheet: the picture so far, whose rows are kept of trainings that the state does not have.
        before: runs that the picture so far is of.
    """
    rows = _rows_of(sheet, [run for run in before if run.set == name])
    for run in (run for run in runs if run.set == name):
        path = state / "results" / f"{run.set}_{run.family}_{run.conditioning}_seed-{run.seed}.png"
        if path.is_file():
            rows[_what(run)] = _row(Image.open(path).convert("RGB"))
    wanted = [_what(run) for run in runs if run.set == name]
    if not all(each in rows for each in wanted):
        return None
    made = Image.new("RGB", (SHOWN * SIDE, len(wanted) * SIDE))
    for number, each in enumerate(wanted):
        made.paste(rows[each], (0, number * SIDE))
    buffer = io.BytesIO()
    # 256 colours: a third of the bytes
    made.quantize(256).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _what(run: Run) -> tuple[str, str, int]:
    return run.family, run.conditioning, run.seed


def _rows_of(sheet: Path, runs: Sequence[Run]) -> dict[tuple[str, str, int], Image.Image]:
    """Return the rows of a picture; none where it is not of just these trainings."""
    if not sheet.is_file():
        return {}
    image = Image.open(sheet).convert("RGB")
    if image.size != (SHOWN * SIDE, len(runs) * SIDE):
        return {}
    areas = [(0, number * SIDE, image.width, (number + 1) * SIDE) for number in range(len(runs))]
    return {_what(run): image.crop(area) for run, area in zip(runs, areas, strict=True)}


def _row(grid: Image.Image) -> Image.Image:
    """Return the first samples of a grid, ten in a row, beside each other."""
    step = grid.width // 10
    row = Image.new("RGB", (SHOWN * SIDE, SIDE))
    for number in range(SHOWN):
        top, left = step * (number // 10), step * (number % 10)
        cell = grid.crop((left + 1, top + 1, left + step - 1, top + step - 1))
        row.paste(cell.resize((SIDE, SIDE), Image.Resampling.BOX), (number * SIDE, 0))
    return row


def curves(runs: Sequence[Run], name: str) -> bytes:
    """Return a picture: FID of one set over CPU seconds and over images, of the newest recipe."""
    from matplotlib.figure import Figure  # slow to import
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    own = [run for run in runs if run.set == name]
    for run in (run for run in own if run.recipe == max(each.recipe for each in own)):
        label = f"{FAMILIES[run.family]}; {CONDITIONINGS[run.conditioning]}" if not run.seed else None
        style: dict[str, Any] = {"color": COLOURS[run.family], "linestyle": DASHES[run.conditioning]}
        values = [reading.fid for reading in run.curve]
        for axis, x in zip(axes, ("seconds", "images"), strict=True):
            axis.plot(
                [getattr(reading, x) for reading in run.curve], values, marker=".", label=label, **style
            )
    for axis, title in zip(axes, ("CPU seconds", "images seen"), strict=True):
        axis.set(xscale="log", yscale="log", xlabel=title)
        for scale in (axis.xaxis, axis.yaxis):
            scale.set_major_locator(LogLocator(subs=(1, 3)))
            scale.set_major_formatter("{x:,.0f}")
            scale.set_minor_formatter(NullFormatter())
        axis.grid(alpha=0.3, which="both")
    axes[0].set(ylabel=f"FID, {SETS[name]}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=6)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    return buffer.getvalue()
