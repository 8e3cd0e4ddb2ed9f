"""Write ``docs/choosing.md`` from the results of ``benchmarks/small_sets.py`` that the package keeps.

    python tools/dev/choosing.py --collect STATE   # take results of STATE/results into the package first
    python tools/dev/choosing.py                   # write the page and its pictures
    python tools/dev/choosing.py --check           # say whether the page is out of date, status 1 if it is

Text and figures cannot part: every number on the page, and every choice in its table, is computed here from
``mmcgan/proposal/small_sets.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # tools are not in the wheel

from mmcgan.checkpoints.atomic import write_file
from mmcgan.proposal.figures import (
    CONDITIONINGS,
    FAMILIES,
    FILE,
    FORMAT,
    SETS,
    SHAPES,
    Reading,
    Run,
    common_images,
    common_seconds,
    comparable,
    remark,
    runs_of,
)
from mmcgan.text_files import content_of, read_json, read_text
from tools.dev.small_sets.in_short import in_short
from tools.dev.small_sets.pictures import curves, sample_picture
from tools.dev.small_sets.words import HOW, INTRODUCTION, NOT_RUN_AT_ALL, RECIPES, SEEN, TRUST

ROOT = Path(__file__).resolve().parents[2]
PAGE, PICTURES = ROOT / "docs" / "choosing.md", ROOT / "docs" / "images"
At = Callable[[Run], Reading | None]


# --- collecting -----------------------------------------------------------------------------------


def collect(state: Path) -> dict[str, Any]:
    """Return the package's content with the results of a state; one replaces its older or shorter self.

    Raises:
        FileNotFoundError: the state has no results.
        ValueError: a result is damaged.
    """
    files = sorted((state / "results").glob("*.json"))
    if not files:
        raise FileNotFoundError(f"{state / 'results'} holds no results of benchmarks/small_sets.py")
    kept = read_json(FILE, "figures of small sets")["runs"] if FILE.is_file() else []
    entries = {_key(entry): entry for entry in kept}
    for file in files:
        entry = read_json(file, "result of small sets")
        with content_of(file, "result of small sets"):
            runs_of({"format": entry.pop("format"), "runs": [entry]})
            known = entries.get(_key(entry))
        if known is None or _standing(known) <= _standing(entry):
            entries[_key(entry)] = entry
    return {"format": FORMAT, "runs": [entries[key] for key in sorted(entries)]}


def _standing(entry: dict[str, Any]) -> tuple[int, float]:
    return entry.get("recipe", 1), entry["budget_seconds"]


def _key(entry: dict[str, Any]) -> str:
    return f"{entry['set']}_{entry['family']}_{entry['conditioning']}_seed-{entry['seed']}"


def data_text(content: dict[str, Any]) -> str:
    """Return the package's file: a line for each training."""
    lines = ",\n  ".join(json.dumps(entry) for entry in content["runs"])
    return f'{{\n "format": "{content["format"]}",\n "runs": [\n  {lines}\n ]\n}}\n'


# --- the page -------------------------------------------------------------------------------------


def page(runs: Sequence[Run]) -> str:
    """Return the text of ``docs/choosing.md``."""
    settings = {(run.set, run.family, run.conditioning) for run in runs}
    every = len(SETS) * len(FAMILIES) * len(CONDITIONINGS)
    head = INTRODUCTION.format(done=len(settings), every=every, short=in_short(runs))
    if not runs:
        return head + NOT_RUN_AT_ALL
    parts = [
        head,
        circumstances(runs) + TRUST,
        decision(runs),
        *(part for name in SETS for part in _of_set(runs, name)),
    ]
    return "\n".join([*parts, HOW])


def circumstances(runs: Sequence[Run]) -> str:
    """Return the table of how the trainings were made: only those of one line are compared."""
    groups: dict[tuple[int, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.circumstances, []).append(run)
    lines = [
        "| trained | processor, precision | CPU minutes each | settings | seeds |",
        "|---|---|---|---|---|",
    ]
    for (recipe, processor, precision), group in sorted(groups.items(), reverse=True):
        minutes = " or ".join(f"{each:.2g}" for each in sorted({run.budget / 60 for run in group}))
        settings = {(run.set, run.family, run.conditioning) for run in group}
        seeds = len({run.seed for run in group})
        lines.append(
            f"| {RECIPES[recipe]} | {processor}, {precision} | {minutes} | {len(settings)} | {seeds} |"
        )
    return "\n".join(lines) + "\n"


def decision(runs: Sequence[Run]) -> str:
    """Return the table that answers the question."""
    lines = [
        "| images | measured on | conditioned on | FID in the same CPU time | FID after the same number of "
        "images | not compared |",
        "|---|---|---|---|---|---|",
    ]
    for name in SETS:
        for kind in CONDITIONINGS:
            group = comparable(run for run in runs if (run.set, run.conditioning) == (name, kind))
            if group:
                lines.append(_decision_row(name, kind, group))
    return "\n".join(lines) + "\n"


def _decision_row(name: str, kind: str, group: Sequence[Run]) -> str:
    seconds, images = common_seconds(group), common_images(group)
    absent = [FAMILIES[family] for family in FAMILIES if family not in {run.family for run in group}]
    cells = [
        f"{group[0].images:,}",
        f"{SETS[name]}, {group[0].image_size} px",
        CONDITIONINGS[kind],
        _ranking(group, lambda run: run.at_seconds(seconds)) + f", {seconds / 60:.2g} min",
        "too few were seen"
        if images is None
        else _ranking(group, lambda run: run.at_images(images)) + f", {images:,} images",
        ", ".join(absent) or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _ranking(group: Sequence[Run], at: At) -> str:
    """Return the families by mean FID, those whose samples have no shape yet behind the others."""
    means, precision, recall = (_means(group, at, figure) for figure in ("fid", "precision", "recall"))
    blurred = {family for family in means if precision[family] < SHAPES}
    ordered = sorted(means, key=lambda family: (family in blurred, means[family]))
    shown = [
        f"{FAMILIES[family]} {means[family]:.1f}{remark(precision[family], recall[family])}"
        for family in ordered
    ]
    if len(shown) > 1 and ordered[0] not in blurred:
        shown[0] = f"**{shown[0]}**"
    return "; ".join(shown)


def _means(group: Sequence[Run], at: At, figure: str) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for run in group:
        reading = at(run)
        if reading is not None:
            found.setdefault(run.family, []).append(getattr(reading, figure))
    return {family: statistics.mean(values) for family, values in found.items()}


def _of_set(runs: Sequence[Run], name: str) -> list[str]:
    """Return heading, table and pictures of one set."""
    own = [run for run in runs if run.set == name]
    if not own:
        return [f"## {_title(name)}\n\nNothing has been trained on it yet.\n"]
    first = own[0]
    lines = [
        f"## {_title(name)}: {first.images:,} images of {first.image_size} px\n",
        f"At the end of the budget, {first.samples:,} samples over the features of `{first.judge}`:\n",
        "| networks | conditioned on | trained | seed | CPU s | images seen | FID | KID x 1000 | precision "
        "| recall | nearer to training |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row_of(run) for run in own),
        "",
        f"![FID over CPU seconds and images of the newest trainings](images/choosing-{name}.png)\n",
    ]
    if (PICTURES / f"choosing-{name}-samples.png").is_file():
        order = "; ".join(f"{FAMILIES[run.family]} ({CONDITIONINGS[run.conditioning]})" for run in own)
        lines.append(f"![Samples, a row for each training](images/choosing-{name}-samples.png)\n")
        lines.append(f"*Unselected samples at the end of the budget; rows from above: {order}.*\n")
    looked_at, words = SEEN.get(name, (0, ""))
    if sum(run.curve[-1].images for run in own) == looked_at:
        lines.append(f"{words}\n")
    return lines


def _title(name: str) -> str:
    return SETS[name][0].upper() + SETS[name][1:]


def _row_of(run: Run) -> str:
    last = run.curve[-1]
    cells = [
        FAMILIES[run.family],
        CONDITIONINGS[run.conditioning],
        f"{RECIPES[run.recipe]}; {run.processor}",
        str(run.seed),
        f"{last.seconds:.0f}",
        f"{last.images:,}",
        f"{last.fid:.1f}",
        f"{1000 * last.kid:.0f}",
        f"{last.precision:.2f}",
        f"{last.recall:.3f}",
        f"{last.nearer_training:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def _kept() -> list[Run]:
    return runs_of(read_json(FILE, "figures of small sets")) if FILE.is_file() else []


def stale(runs: Sequence[Run]) -> bool:
    """Return whether the page does not say what the results say."""
    return not PAGE.is_file() or read_text(PAGE) != page(runs)


def main(argv: Sequence[str] | None = None) -> int:
    """Collect, write or check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collect", type=Path, metavar="STATE", help="folder of benchmarks/small_sets.py")
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args(argv)
    before = _kept()
    if given.collect is not None and not given.check:
        content = collect(given.collect)
        write_file(FILE, data_text(content))
    runs = _kept()
    if given.check:
        print(f"out of date: {PAGE.relative_to(ROOT)}" if stale(runs) else "up to date")
        return int(stale(runs))
    for name in dict.fromkeys(run.set for run in runs):
        write_file(PICTURES / f"choosing-{name}.png", curves(runs, name))
        sheet = PICTURES / f"choosing-{name}-samples.png"
        samples = None if given.collect is None else sample_picture(given.collect, runs, name, sheet, before)
        if samples is not None:
            write_file(sheet, samples)
    write_file(PAGE, page(runs))
    print(f"wrote {PAGE.relative_to(ROOT)}: {len(runs)} trainings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
