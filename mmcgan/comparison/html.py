"""Parts of pages that need nothing else: no scripts, no fonts, nothing that is fetched."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmcgan.scalars import Series, curves_picture

STYLE = """
:root { color-scheme: light dark; --line: #c9ced6; --soft: #f3f5f8; --ink: #1b1f24; --dim: #5a6472;
  --paper: #fff; --accent: #2457a6; }
@media (prefers-color-scheme: dark) { :root { --line: #3b4350; --soft: #1d222a; --ink: #e4e8ee;
  --dim: #9aa5b4; --paper: #14181d; --accent: #8fb6f5; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 0 auto; max-width: 75rem; padding: 1.5rem 1.25rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem;
  border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
a { color: var(--accent); } nav { margin: .8rem 0; } nav a { margin-right: 1.1rem; }
.dim { color: var(--dim); } .scroll { overflow-x: auto; }
.state { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .7rem; font-size: .85rem; }
.good { color: #1d7a3a; } .warn { color: #a85b00; }
@media (prefers-color-scheme: dark) { .good { color: #6fd08c; } .warn { color: #f0b35e; } }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; }
td, th { border: 1px solid var(--line); padding: .25rem .6rem; vertical-align: top; text-align: left; }
th { background: var(--soft); font-weight: 600; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.card { background: var(--soft); border-radius: .5rem; padding: .6rem 1rem; min-width: 9rem; }
.card b { display: block; font-size: 1.4rem; line-height: 1.3; } .card span { color: var(--dim); }
img { max-width: 100%; height: auto; } .charts { display: flex; flex-wrap: wrap; gap: .6rem; }
.chart { background: #fff; border-radius: .5rem; padding: .3rem; width: 23.5rem; }
figure { display: inline-block; margin: 0 1.2rem 1rem 0; max-width: 100%; vertical-align: top; }
figcaption { color: var(--dim); font-size: .9rem; }
code, pre { font: 13px/1.5 ui-monospace, monospace; background: var(--soft); border-radius: .3rem; }
code { padding: .05rem .3rem; } pre { padding: .8rem; overflow-x: auto; } summary { cursor: pointer; }
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def text(value: Any) -> str:
    """Return a value as text of a page: nothing in it is markup."""
    return html.escape(str(value))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts; a wide one scrolls. Without a head, rows begin with their headings."""
    lines = ['<div class="scroll"><table>']
    if head:
        lines.append("<tr>" + "".join(f"<th>{text(cell)}</th>" for cell in head) + "</tr>")
    for row in rows:
        first = "td" if head else "th"
        cells = [
            f"<{first if place == 0 else 'td'}>{text(cell)}</{first if place == 0 else 'td'}>"
            for place, cell in enumerate(row)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</table></div>"])


def picture(content: bytes, what: str, kind: str = "png", style: str = "") -> str:
    """Return an encoded picture that is part of the page.

    Args:
        content: of the file.
        what: in words, for those who cannot see it.
        kind: ``png``, ``webp`` or ``svg+xml``.
        style: a class of :data:`STYLE`.
    """
    named = f' class="{style}"' if style else ""
    encoded = base64.b64encode(content).decode()
    return f'<img{named} alt="{text(what)}" src="data:image/{kind};base64,{encoded}">'


def charts(runs: Mapping[str, Mapping[str, Series]], keys: Sequence[str]) -> str:
    """Return a panel of curves per key, beside each other where there is room; see :func:`curves_picture`."""
    panels = (
        picture(curves_picture(runs, [key], "svg"), f"curve of {key}", "svg+xml", "chart") for key in keys
    )
    return f'<div class="charts">{"".join(panels)}</div>'


def figure(shown: str, caption: str) -> str:
    """Return a picture with words below it."""
    return f"<figure>{shown}<figcaption>{text(caption)}</figcaption></figure>"


def folded(title: str, content: str) -> str:
    """Return what is seen after a click on its title."""
    return f"<details><summary>{text(title)}</summary>{content}</details>"


def facts(values: Mapping[str, Any]) -> str:
    """Return names and values as a table."""
    return table((), ([name, str(value)] for name, value in values.items()))
