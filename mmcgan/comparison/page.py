"""One self-contained page of runs: what differs, curves, figures, samples of the same latents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mmcgan.comparison.html import charts, document, figure, picture, table, text
from mmcgan.comparison.runs import ABSENT, Group, RunRecord, best_of, differing, groups_of, last_of
from mmcgan.output_paths import COMPARISON
from mmcgan.scalars import mean_and_deviation


def comparison_page(runs: Sequence[RunRecord], samples: Sequence[bytes | str]) -> str:
    """Return the page as HTML.

    Args:
        runs: in the order of the page.
        samples: of each run, a PNG, or in words why there is none.
    """
    names = list(dict.fromkeys(key for run in runs for key in run.figures()))
    parts = [f"<h1>{text(', '.join(run.name for run in runs))}</h1>", *_settings(runs)]
    if names:
        series = {run.name: run.series for run in runs}
        parts += ["<h2>Figures</h2>", *_figures(groups_of(runs), names)]
        parts += ["<h2>Curves</h2>", charts(series, names)]
    parts += ["<h2>Samples</h2>", "<p>The same latents and conditions for each run.</p>"]
    parts += [_sample(run, sample) for run, sample in zip(runs, samples, strict=True)]
    return document(COMPARISON, parts)


def _settings(runs: Sequence[RunRecord]) -> list[str]:
    found = differing(runs)
    parts = ["<h2>Settings that differ</h2>"]
    if not found:
        return [*parts, "<p>None.</p>"]
    rows = [
        [path, *(ABSENT if value == ABSENT else repr(value) for value in values)]
        for path, values in found.items()
    ]
    return [*parts, table(["setting", *(run.name for run in runs)], rows)]


def _figures(groups: Sequence[Group], names: Sequence[str]) -> list[str]:
    """Return the last and the best values, means and deviations over runs that differ in the seed only."""
    ways = {name: _way(groups, name) for name in names}
    values: dict[str, Callable[[RunRecord, str], float | None]] = {
        "At the last evaluation": lambda run, name: last_of(run.series.get(name)),
        "At its best evaluation": lambda run, name: best_of(run.series.get(name), ways[name]),
    }
    parts = []
    for title, value in values.items():
        rows = []
        for group in groups:
            cells = [_spread([value(run, name) for run in group.runs]) for name in names]
            rows.append([group.name, str(len(group.runs)), *cells])
        parts += [f"<p>{title}:</p>", table(["run", "seeds", *names], rows)]
    return parts


def _way(groups: Sequence[Group], name: str) -> str | None:
    """Return which way a figure is better, as the first run says that knows."""
    known = (run.way(name) for group in groups for run in group.runs)
    return next((way for way in known if way is not None), None)


def _spread(values: Iterable[float | None]) -> str:
    """Return mean ± sample deviation of the values that are there."""
    found = [value for value in values if value is not None]
    if not found:
        return "-"
    mean, deviation = mean_and_deviation(found)
    return f"{mean:.4g} ± {deviation:.2g}" if len(found) > 1 else f"{mean:.4g}"


def _sample(run: RunRecord, sample: bytes | str) -> str:
    caption = f"{run.name}, {run.checkpoint.name if run.checkpoint else 'no checkpoint'}"
    if isinstance(sample, str):
        return f"<p>{text(caption)}: {text(sample)}</p>"
    return figure(picture(sample, caption), caption)
