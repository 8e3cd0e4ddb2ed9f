"""One self-contained page of runs: what differs, curves, figures, samples of the same latents."""

from __future__ import annotations

import base64
import html
import io
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from mmcgan.comparison.runs import ABSENT, Group, RunRecord, differing, groups_of
from mmcgan.hooks.monitor import Monitor
from mmcgan.scalars import curves_picture

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { border: 1px solid #bbb; padding: .25rem .6rem; }
th { background: #eee; text-align: left; } img { max-width: 100%; } .best { font-weight: bold; }
code { background: #f3f3f3; } figure { display: inline-block; margin: 0 1rem 1rem 0; }
"""


def comparison_page(runs: Sequence[RunRecord], samples: Sequence[bytes | str]) -> str:
    """Return the page as HTML.

    Args:
        runs: in the order of the page.
        samples: of each run, a PNG, or in words why there is none.
    """
    names = list(dict.fromkeys(key for run in runs for key in run.figures()))
    parts = [f"<h1>{_text(', '.join(run.name for run in runs))}</h1>", *_settings(runs)]
    if names:
        series = {run.name: run.series for run in runs}
        parts += ["<h2>Figures</h2>", *_figures(groups_of(runs), names)]
        parts += ["<h2>Curves</h2>", _picture(curves_picture(series, names, columns=3), "curves")]
    parts += ["<h2>Samples</h2>", "<p>The same latents and conditions for each run.</p>"]
    parts += [_sample(run, sample) for run, sample in zip(runs, samples, strict=True)]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Runs compared</title>'
        f"<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _settings(runs: Sequence[RunRecord]) -> list[str]:
    table = differing(runs)
    parts = ["<h2>Settings that differ</h2>"]
    if not table:
        return [*parts, "<p>None.</p>"]
    rows = [
        [path, *(ABSENT if value == ABSENT else repr(value) for value in found)]
        for path, found in table.items()
    ]
    return [*parts, _table(["setting", *(run.name for run in runs)], rows)]


def _figures(groups: Sequence[Group], names: Sequence[str]) -> list[str]:
    """Return the last and the best values, means and deviations over runs that differ in the seed only."""
    parts = []
    for title, value in (("At the last evaluation", _last), ("At its best evaluation", _best)):
        rows = []
        for group in groups:
            cells = [_spread([value(run, name) for run in group.runs]) for name in names]
            rows.append([group.name, str(len(group.runs)), *cells])
        parts += [f"<p>{title}:</p>", _table(["run", "seeds", *names], rows)]
    return parts


def _last(run: RunRecord, name: str) -> float | None:
    series = run.series.get(name)
    return series[max(series)] if series else None


def _best(run: RunRecord, name: str) -> float | None:
    series = run.series.get(name)
    if not series:
        return None
    return min(series.values()) if Monitor(name).rule == "less" else max(series.values())


def _spread(values: Iterable[float | None]) -> str:
    """Return mean ± sample deviation of the values that are there."""
    found = [value for value in values if value is not None]
    if not found:
        return "-"
    text = f"{statistics.mean(found):.4g}"
    return f"{text} ± {statistics.stdev(found):.2g}" if len(found) > 1 else text


def _sample(run: RunRecord, sample: bytes | str) -> str:
    caption = f"{run.name}, {run.checkpoint.name if run.checkpoint else 'no checkpoint'}"
    if isinstance(sample, str):
        return f"<p>{_text(caption)}: {_text(sample)}</p>"
    return f"<figure>{_picture(sample, caption)}<figcaption>{_text(caption)}</figcaption></figure>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<table><tr>", *(f"<th>{_text(cell)}</th>" for cell in head), "</tr>"]
    for row in rows:
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return "".join([*lines, "</table>"])


def _picture(content: bytes, what: str) -> str:
    return f'<img alt="{_text(what)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'


def _text(value: Any) -> str:
    return html.escape(str(value))


def png(picture: Any) -> bytes:
    """Return a uint8 picture (H, W, 3) as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()
