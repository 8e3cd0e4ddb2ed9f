"""A run's own page: samples, figures, curves, config and environment, in one file that needs nothing else."""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.comparison.film import grids_of, page_film, sound_grids, still
from mmcgan.comparison.html import charts, document, facts, figure, folded, picture, table, text
from mmcgan.comparison.runs import RunRecord, best_of, last_of, read_run
from mmcgan.comparison.starts import FINISHED, Start, read_evaluation, read_starts
from mmcgan.output_paths import REPORT as TITLE
from mmcgan.text_files import read_text, say

REPORT = "report.html"
#: curves of one kind, letters of a config and values of a settings table that are shown at most
CURVES, LETTERS = 24, 200_000
#: logged beside losses: how fast it went, and rates
SPEED = ("time", "data_time", "images_per_second", "memory")
RATES = ("lr", "momentum")
EVALUATED, LEARNT, ASIDE = "Figures of evaluations", "Losses", "Rates and speed"
#: which way a figure is better, in words
WAYS = {"less": "lower", "greater": "higher", None: "not declared"}
#: what a run is about: dotted path in its config, and what to call it
SUMMARY = {
    "model.generator.type": "generator",
    "model.discriminator.backbone.type": "discriminator",
    "train_dataloader.dataset.type": "data",
    "train_dataloader.batch_size": "images an iteration",
    "train_cfg.max_iters": "iterations asked for",
    "optim_wrapper.precision": "precision asked for",
    "randomness.seed": "seed",
}


@dataclass(frozen=True)
class RunReport:
    """What a page of a run says.

    Attributes:
        run: its folder's content.
        starts: what each of its starts has written down.
        evaluation: the last evaluation's report, if one was kept.
        grids: its sample grids in order.
    """

    run: RunRecord
    starts: Sequence[Start]
    evaluation: Mapping[str, Any] | None
    grids: Sequence[Path]

    @property
    def reached(self) -> int:
        """The last iteration that anything is known of."""
        logged = [max(series) for series in self.run.series.values() if series]
        ended = [start.last for start in self.starts if start.last is not None]
        newest = self.run.checkpoint
        saved = [int(newest.stem.rpartition("_")[2])] if newest is not None else []
        return max([0, *logged, *ended, *saved])

    @property
    def state(self) -> tuple[str, bool]:
        """How the run ended, in words, and whether it is all that was asked for."""
        asked = self.run.settings.get("train_cfg.max_iters")
        of = f" of {asked:,}" if isinstance(asked, int) else ""
        reached = f"{self.reached:,}{of}"
        if not self.starts:
            done = isinstance(asked, int) and self.reached >= asked
            return (f"finished, {reached} iterations" if done else f"iteration {reached}"), done
        last = self.starts[-1]
        if last.how == FINISHED:
            return f"finished, {reached} iterations", True
        if last.how is not None:
            return f"stopped on {last.how} after {reached} iterations", False
        return f"running, or killed, at or after {reached} iterations", False


def read_report(work_dir: Path) -> RunReport:
    """Return what there is to say about a run.

    Raises:
        FileNotFoundError: no work folder of a run.
        ValueError: a file of it is damaged; names it.
    """
    run = read_run(work_dir.absolute().name, work_dir, figures_needed=False)
    return RunReport(run, read_starts(work_dir), read_evaluation(work_dir), grids_of(work_dir))


def write_report(work_dir: Path, out: Path | None = None) -> Path:
    """Write the page of a run, atomically, and return its path.

    Args:
        work_dir: of the run; running, stopped, killed or finished.
        out: the page; ``report.html`` in the work folder by default.

    Raises:
        FileNotFoundError: no work folder of a run.
        ValueError: a file of it is damaged; names it.
    """
    out = out or work_dir / REPORT
    write_file(out, report_page(read_report(work_dir)))
    return out


def report_page(report: RunReport) -> str:
    """Return the page as HTML."""
    sections: dict[str, Callable[[RunReport], Iterable[str]]] = {
        "Samples": _samples,
        "Figures": _figures,
        "Curves": _curves,
        "Starts and environment": _starts,
        "Config": _config,
        "Commands": _commands,
    }
    links = "".join(f'<a href="#{_anchor(name)}">{name}</a>' for name in sections)
    parts = [*_top(report), f"<nav>{links}</nav>"]
    for name, make in sections.items():
        parts += [f'<h2 id="{_anchor(name)}">{name}</h2>', *make(report)]
    return document(f"{report.run.name}{TITLE}", parts)


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _top(report: RunReport) -> list[str]:
    words, done = report.state
    mark = "good" if done else "warn"
    parts = [f"<h1>{text(report.run.name)}</h1>", f'<p><span class="state {mark}">{text(words)}</span></p>']
    known = {called: report.run.settings.get(path) for path, called in SUMMARY.items()}
    line = " · ".join(f"{name}: {value}" for name, value in known.items() if value is not None)
    cards = [(name, _number(last_of(report.run.series[name]))) for name in report.run.figures()[:6]]
    seen = next((start.images for start in reversed(report.starts) if start.images is not None), None)
    if seen is not None:
        cards.append(("real images seen", f"{seen:,}"))
    spent = sum(start.ended - start.began for start in report.starts if start.ended is not None)
    if spent:
        cards.append(
            (
                "hours, evaluations included" if spent > 3600 else "seconds",
                _number(spent / 3600 if spent > 3600 else spent),
            )
        )
    shown = "".join(
        f'<div class="card"><b>{text(value)}</b><span>{text(name)}</span></div>' for name, value in cards
    )
    return [*parts, f'<p class="dim">{text(line)}</p>', f'<div class="cards">{shown}</div>' if cards else ""]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _samples(report: RunReport) -> list[str]:
    if not report.grids:
        return ["<p>None were drawn: default_hooks.sample_grid draws them.</p>"]
    grids, broken = sound_grids(report.grids)
    for sentence in broken:
        say(f"{sentence}; it is left out", to=sys.stderr)
    parts = [f"<p>Left out: {text(sentence)}</p>" for sentence in broken]
    if not grids:
        return parts
    last = grids[-1]
    if len(grids) > 1:
        film, shown = page_film(grids)
        caption = f"{len(shown)} of {len(report.grids)} pictures, {shown[0].stem} to {shown[-1].stem}"
        parts.append(figure(picture(film, "samples over training, as a film", "webp"), caption))
    newest = picture(still(last), "the newest samples", "webp")
    return [
        *parts,
        figure(newest, f"{last.stem}: the same latents as in every picture, by the moving average"),
    ]


def _figures(report: RunReport) -> list[str]:
    names = report.run.figures()
    if not names:
        return ["<p>Nothing was evaluated. <code>mmcgan test</code> evaluates a checkpoint.</p>"]
    rows = []
    for name in names:
        series = report.run.series[name]
        way = report.run.way(name)
        best = best_of(series, way)
        when = next((str(step) for step in sorted(series) if series[step] == best), "-")
        rows.append(
            [
                name,
                _number(last_of(series)),
                str(max(series)),
                _number(best),
                when,
                WAYS[way],
                str(len(series)),
            ]
        )
    head = ["figure", "last", "at iteration", "best", "at iteration", "better", "evaluations"]
    note = "The best of many evaluations is partly luck; the last one stands beside it."
    return [*_how_measured(report), table(head, rows), f'<p class="dim">{note}</p>']


def _how_measured(report: RunReport) -> list[str]:
    """Return of how many images the figures are, and what compared them."""
    found = report.evaluation
    if found is None:
        size = report.run.settings.get("val_dataloader.dataset.size")
        asked = f"{size:,} generated images, by the config" if isinstance(size, int) else "not recorded"
        return [f"<p>Of how many images: {text(asked)}.</p>"]
    known: dict[str, Any] = {
        "of iteration": found["iteration"],
        "generated images": _count(found.get("generated_images")),
    }
    reference, extractor, conditions = (
        _mapping(found.get(key)) for key in ("reference", "extractor", "conditions")
    )
    if reference:
        named = " ".join(str(reference[key]) for key in ("dataset", "split") if reference.get(key))
        known["real images"] = f"{_count(reference.get('count'))} of {named}"
    if extractor:
        parts = [
            f"{extractor.get('name')}",
            f"weights {str(extractor.get('weights_sha256'))[:12]}",
            f"resize {extractor.get('resize')}",
        ]
        known["extractor"] = ", ".join(parts)
    known |= {key: conditions[key] for key in ("labels", "truncation", "seed") if key in conditions}
    parts = [facts(known)]
    metrics = [_mapping(metric) for metric in found.get("metrics") or () if isinstance(metric, Mapping)]
    settings = [
        [
            str(metric.get("type")),
            ", ".join(f"{k}={v}" for k, v in _mapping(metric.get("settings")).items()),
            str(metric.get("error", "")),
        ]
        for metric in metrics
    ]
    return [*parts, folded("settings of the metrics", table(["metric", "settings", "error"], settings))]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "unknown"


def _curves(report: RunReport) -> list[str]:
    if not report.run.series:
        return ["<p>Nothing was logged.</p>"]
    parts = []
    for kind, names in _kinds(report.run).items():
        if not names:
            continue
        drawn, left = names[:CURVES], names[CURVES:]
        shown = charts({"": report.run.series}, drawn)
        shown += f'<p class="dim">Not drawn: {text(", ".join(left))}</p>' if left else ""
        parts.append(folded(kind, shown) if kind == ASIDE else f"<h3>{text(kind)}</h3>{shown}")
    return parts


def _kinds(run: RunRecord) -> dict[str, list[str]]:
    """Return what was logged and can be drawn, in groups."""
    kinds: dict[str, list[str]] = {EVALUATED: [], LEARNT: [], ASIDE: []}
    figures = run.figures()
    for name, series in run.series.items():
        if not any(map(math.isfinite, series.values())):
            continue
        plain = name.rpartition("/")[2]
        aside = plain in SPEED or plain.endswith(RATES)
        kinds[EVALUATED if name in figures else ASIDE if aside else LEARNT].append(name)
    return kinds


def _starts(report: RunReport) -> list[str]:
    if not report.starts:
        return ["<p>Not recorded: the run had no default_hooks.report. Its log begins with the versions.</p>"]
    rows = []
    for start in report.starts:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(start.began))
        ended = "-" if start.ended is None else f"{start.ended - start.began:,.0f} s later"
        last = "-" if start.last is None else f"{start.last:,}"
        rows.append(
            [began, f"{start.first:,}", ended, last, start.how or "not by itself: running, or killed"]
        )
    parts = [table(["began", "at iteration", "ended", "at iteration", "how"], rows)]
    environments = list(dict.fromkeys(tuple(start.environment.items()) for start in report.starts))
    several = len(environments) > 1
    for number, environment in enumerate(environments, start=1):
        parts += [
            f"<p>Environment {number} of {len(environments)}, in order of the starts:</p>" if several else "",
            facts(dict(environment)),
        ]
    return parts


def _config(report: RunReport) -> list[str]:
    whole = read_text(report.run.config)
    cut = (
        ""
        if len(whole) <= LETTERS
        else f"\n# ... {len(whole) - LETTERS:,} more letters in {report.run.config.name}"
    )
    return [
        folded(
            f"{report.run.config.name}, {whole.count(chr(10)):,} lines",
            f"<pre>{text(whole[:LETTERS] + cut)}</pre>",
        )
    ]


def _commands(report: RunReport) -> list[str]:
    place = report.run.folder
    config, newest = str(place / report.run.config.name), report.run.checkpoint
    commands = [["train", config, "--work-dir", str(place), "--resume"]]
    if newest is not None:
        weights = str(place / newest.name)
        commands += [
            ["sample", weights, "--num", "20", "--out", "samples"],
            ["test", config, weights],
            ["export-weights", weights, "model.safetensors"],
        ]
    lines = [shlex.join(["mmcgan", *words]) for words in commands]
    return [f"<pre>{text(chr(10).join(lines))}</pre>"]
