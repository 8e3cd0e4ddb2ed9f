"""What a conversion found, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from mmcgan.peers.reading.convert import Conversion
from mmcgan.peers.reading.fitting import Fit
from mmcgan.peers.reading.resolving import some
from mmcgan.peers.reading.shapes import flatten
from mmcgan.screen import Console
from mmcgan.text_files import on_screen

#: Where a setting comes from, in words.
ORIGINS = {
    "shapes": "weights",
    "file": "file",
    "given": "--set",
    "assumed": "assumed: what this format's published models have",
    "chosen": "makes no difference",
}
ORDER = ("given", "file", "assumed", "chosen", "shapes")


def print_conversion(conversion: Conversion, console: Console | None = None) -> None:
    """Print a table of settings for each network, and what was left out."""
    console = console or Console(soft_wrap=True, highlight=False)
    for fit in conversion.networks:
        console.print(_table(fit, conversion.names[fit.role]))
        for line in notes(fit, conversion):
            console.print(_as_it_is(line))
    if conversion.passed_over:
        console.print(_as_it_is(f"not converted: {', '.join(conversion.passed_over)}"))


def _table(fit: Fit, name: str) -> Table:
    title = _as_it_is(f"{fit.role} of {name}: {fit.format.name}", "table.title")
    table = Table(title=title, title_justify="left")
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for path, value, origin in settings_of(fit):
        table.add_row(_as_it_is(path), _as_it_is(str(value)), ORIGINS.get(origin, origin))
    return table


def _as_it_is(text: str, style: str = "") -> Text:
    """Return a text that Rich finds no colours in: names are a stranger's."""
    return Text(on_screen(text), style)


def settings_of(fit: Fit) -> list[tuple[str, Any, str]]:
    """Return path, value and origin of every setting, what the weights do not show first."""
    rows = [(path, value, fit.origin.get(path, "shapes")) for path, value in flatten(fit.config).items()]
    return sorted(rows, key=lambda row: ORDER.index(row[2]) if row[2] in ORDER else len(ORDER))


def notes(fit: Fit, conversion: Conversion) -> list[str]:
    """Return a line for each thing that was done to the weights."""
    count = sum(value.numel() for value in fit.weights.values())
    lines = [f"{len(fit.weights)} tensors, {count:,} values; no key unused, none missing"]
    if conversion.wrappers[fit.role]:
        lines.append(f"cut off: {' '.join(conversion.wrappers[fit.role])}")
    if fit.left_out:
        lines.append(f"left out, stored but never used by the peer: {some(fit.left_out)}")
    if conversion.channel_order != "rgb":
        lines.append("colours swapped: the weights were trained on BGR images")
    return lines


def print_files(files: Sequence[Path], console: Console | None = None) -> None:
    """Print the written files."""
    console = console or Console(soft_wrap=True, highlight=False)
    for path in files:
        console.print(_as_it_is(f"wrote {path} ({path.stat().st_size / 1e6:,.1f} MB)"))
