"""The page of claims: a table, and for each claim its figures and a picture."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.atomic import write_file
from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.points import draw_points
from mmcgan.claims.run import Run
from mmcgan.claims.verdict import Verdict, decide
from mmcgan.scalars import Series, mean_and_deviation

PAGE, FIGURES, PICTURES = "claims.md", "claims.json", "pictures"


@dataclass(frozen=True)
class Outcome:
    """A claim with what its finished runs have found.

    Attributes:
        claim: what was asked.
        figures: label of an arm -> seed -> figure.
        curves: label of an arm -> seed -> values by iteration; empty of figures that are not logged.
        verdict: what follows.
        iterations: label of an arm -> generator updates of its runs.
        seconds: taken by all runs, which claims may share.
    """

    claim: Claim
    figures: Mapping[str, Mapping[int, float]]
    curves: Mapping[str, Mapping[int, Series]]
    verdict: Verdict
    iterations: Mapping[str, int]
    seconds: float


def outcome_of(claim: Claim, seeds: Sequence[int], share: float, out: Path) -> Outcome:
    """Return what the finished runs of a claim have found.

    Raises:
        ValueError: a run has not logged what the claim looks at, or a figure is not finite.
    """
    figures: dict[str, dict[int, float]] = {}
    curves: dict[str, dict[int, Series]] = {}
    runs: dict[Path, Run] = {}
    for arm in claim.arms:
        figures[arm.label], curves[arm.label] = {}, {}
        for run in (Run(arm.source, seed, share, out) for seed in seeds):
            value = arm.figure.value(run)
            if value is None:
                continue
            figures[arm.label][run.seed] = value
            runs[run.folder] = run
            if curve := arm.figure.curve(run):
                curves[arm.label][run.seed] = curve
    verdict = decide(claim, figures[claim.better.label], figures[claim.worse.label])
    iterations = {arm.label: Run(arm.source, 0, share, out).iterations for arm in claim.arms}
    seconds = sum(run.seconds for run in runs.values())
    return Outcome(claim, figures, curves, verdict, iterations, seconds)


def write_page(outcomes: Sequence[Outcome], out: Path, command: str) -> Path:
    """Write the page, its pictures and the figures as JSON; return the page's path.

    Args:
        outcomes: of all claims to show.
        out: folder to write to.
        command: that makes the page, as it is shown on it.
    """
    out.mkdir(parents=True, exist_ok=True)
    shown = list(filter(_begun, outcomes))
    for outcome in shown:
        picture = draw(outcome) if _any(outcome.curves) else _draw_figures(outcome)
        write_file(out / PICTURES / f"{outcome.claim.name}.png", picture)
    write_file(out / FIGURES, json.dumps([_plain(outcome) for outcome in outcomes], indent=1))
    pictured = {outcome.claim.name for outcome in shown}
    write_file(out / PAGE, page_text(outcomes, pictured, command))
    return out / PAGE


def page_text(outcomes: Sequence[Outcome], pictured: set[str], command: str) -> str:
    """Return the page as Markdown; ``pictured`` are the names of claims that have a picture."""
    lines = [
        "# Claims of the papers, and what came out here",
        "",
        f"Written by `{command}`. A claim is decided over seeds: differences of the same seed, Student's",
        "interval of 95 %; it holds if the whole interval is on the claimed side, does not hold if it is on",
        "the other, and is undecided otherwise. Small images and networks: what holds here may not",
        "hold at the papers' scale, and the other way round. Of what was not run the table says the cost.",
        "",
        "| claim | source | the paper's figure | ours, better side | ours, other side | seeds | verdict |",
        "|---|---|---|---|---|---|---|",
        *(_row(outcome) for outcome in outcomes),
    ]
    for outcome in filter(_begun, outcomes):
        lines += ["", *_section(outcome, outcome.claim.name in pictured)]
    return "\n".join(lines) + "\n"


def _row(outcome: Outcome) -> str:
    claim = outcome.claim
    sides = [
        f"{arm.label}: {spread(outcome.figures[arm.label].values())}" for arm in (claim.better, claim.worse)
    ]
    link = f"[{claim.name}](#{claim.name})" if _begun(outcome) else claim.name
    seeds, state = len(outcome.verdict.seeds), f"**{outcome.verdict.state}**"
    cost = "" if _begun(outcome) else f", {claim.minutes:.3g} min a seed"
    cells = [link, claim.source, claim.published, *sides, str(seeds), state + cost]
    return f"| {' | '.join(cells)} |"


def _begun(outcome: Outcome) -> bool:
    return any(outcome.figures.values())


def _section(outcome: Outcome, pictured: bool) -> list[str]:
    claim = outcome.claim
    lines = [f"## {claim.name}", "", f"{claim.statement} ({claim.source}.) {claim.note}".rstrip(), ""]
    lines += ["| arm | generator updates | figure | each seed | mean ± deviation |", "|---|---|---|---|---|"]
    lines += [_arm_row(arm, outcome) for arm in claim.arms]
    if outcome.verdict.difference is not None:
        what = "Difference of logarithms" if claim.logarithm else "Difference"
        mean, low, high = outcome.verdict.difference
        lines += [
            "",
            f"{what}: {number(mean)}, interval {number(low)} to {number(high)}: **{outcome.verdict.state}**.",
        ]
    if outcome.seconds:
        lines += ["", f"The runs took {outcome.seconds / 60:.0f} minutes by the clock; claims share runs."]
    if pictured:
        lines += ["", f"![{claim.name}]({PICTURES}/{claim.name}.png)"]
    return lines


def _arm_row(arm: Arm, outcome: Outcome) -> str:
    figures = outcome.figures[arm.label]
    each = ", ".join(number(figures[seed]) for seed in sorted(figures)) or "-"
    when = arm.figure.when
    name = arm.figure.key if when == "last" else f"{arm.figure.key}, {when}"
    updates = f"{outcome.iterations[arm.label]:,}" if outcome.iterations[arm.label] else "-"
    return f"| {arm.label} | {updates} | {name} | {each} | {spread(figures.values())} |"


def number(value: float, digits: int = 3) -> str:
    """Return a figure with so many digits that say something; all of a larger one's before the point."""
    return f"{value:,.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"


def spread(values: Any) -> str:
    """Return mean and sample deviation as text, ``-`` of nothing."""
    values = list(values)
    if not values:
        return "-"
    mean, deviation = mean_and_deviation(values)
    return f"{number(mean)} ± {number(deviation, 2)}" if len(values) > 1 else number(mean)


def draw(outcome: Outcome) -> bytes:
    """Return a PNG: the figure over iterations, a colour per arm, a line per seed."""
    from matplotlib.figure import Figure  # slow to import

    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axis, key, curves = figure.subplots(), outcome.claim.better.figure.key, _on_one_axis(outcome)
    for number, (label, seeds) in enumerate(_lines(curves)):
        for place, series in enumerate(seeds.values()):
            steps = sorted(series)
            axis.plot(
                steps,
                [series[step] for step in steps],
                color=f"C{number}",
                alpha=0.8,
                label=None if place else label,
            )
    axis.set(xlabel="generator updates", yscale="log" if _positive(curves) else "linear")
    axis.set_title(key, loc="left", fontsize="medium")  # beside the axis a long name is cut off
    axis.grid(alpha=0.3)
    axis.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=90)
    return picture.getvalue()


def _draw_figures(outcome: Outcome) -> bytes:
    """Return a PNG of figures that are not logged."""
    others = _of_another_kind(outcome.claim)
    arms = {label: list(seeds.values()) for label, seeds in outcome.figures.items() if label not in others}
    return draw_points(outcome.claim.better.figure.key, arms)


def _on_one_axis(outcome: Outcome) -> dict[str, Mapping[int, Series]]:
    """Return the curves of the two sides, and of further arms with the same figure."""
    others = _of_another_kind(outcome.claim)
    return {label: seeds for label, seeds in outcome.curves.items() if label not in others}


def _of_another_kind(claim: Claim) -> set[str]:
    """Return the labels of further arms with another figure than the better side's.

    An accuracy on the axis of a distance would be read as one; the table has it.
    """
    return {arm.label for arm in claim.also if arm.figure.key != claim.better.figure.key}


def _lines(curves: Mapping[str, Mapping[int, Series]]) -> list[tuple[str, Mapping[int, Series]]]:
    """Return labels and curves; arms that are two readings of the same runs are one, under both labels."""
    found: list[tuple[str, Mapping[int, Series]]] = []
    for label, seeds in curves.items():
        same = [number for number, (_, known) in enumerate(found) if known == seeds]
        if same:
            found[same[0]] = (f"{found[same[0]][0]}; {label}", seeds)
        else:
            found.append((label, seeds))
    return found


def _positive(curves: Mapping[str, Mapping[int, Series]]) -> bool:
    values = [value for seeds in curves.values() for series in seeds.values() for value in series.values()]
    return min(values) > 0 and max(values) > 10 * min(values)


def _any(curves: Mapping[str, Mapping[int, Series]]) -> bool:
    return any(series for seeds in curves.values() for series in seeds.values())


def _plain(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "claim": outcome.claim.name,
        "state": verdict.state,
        "seeds": list(verdict.seeds),
        "difference": verdict.difference,
        "figures": outcome.figures,
        "curves": outcome.curves,
        "iterations": outcome.iterations,
        "seconds": round(outcome.seconds, 1),
    }
