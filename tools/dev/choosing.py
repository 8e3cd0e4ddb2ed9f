"""Write ``docs/choosing.md`` from the results of ``benchmarks/small_sets.py`` that the package keeps.

    python tools/dev/choosing.py --collect STATE   # take results of STATE/results into the package first
    python tools/dev/choosing.py                   # write the page and its pictures
    python tools/dev/choosing.py --check           # say whether the page is out of date, status 1 if it is

Text and figures cannot part: every number on the page, and every choice in its table, is computed here from
``mmcgan/proposal/small_sets.json``.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

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
    runs_of,
)
from mmcgan.text_files import content_of, read_json, read_text

ROOT = Path(__file__).resolve().parents[2]
PAGE, PICTURES = ROOT / "docs" / "choosing.md", ROOT / "docs" / "images"
#: samples of each training in a picture, and their side
SHOWN, SIDE = 16, 64
COLOURS = dict(zip(FAMILIES, ("tab:blue", "tab:orange", "tab:green", "tab:red"), strict=True))
DASHES = dict(zip(CONDITIONINGS, (":", "-", "--", "-.", (0, (1, 3))), strict=True))
At = Callable[[Run], Reading | None]


# --- collecting -----------------------------------------------------------------------------------


def collect(state: Path) -> dict[str, Any]:
    """Return the package's content with the results of a state; one replaces its shorter self.

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
        if known is None or known["budget_seconds"] <= entry["budget_seconds"]:
            entries[_key(entry)] = entry
    return {"format": FORMAT, "runs": [entries[key] for key in sorted(entries)]}


def _key(entry: dict[str, Any]) -> str:
    return f"{entry['set']}_{entry['family']}_{entry['conditioning']}_seed-{entry['seed']}"


def data_text(content: dict[str, Any]) -> str:
    """Return the package's file: a line for each training."""
    lines = ",\n  ".join(json.dumps(entry) for entry in content["runs"])
    return f'{{\n "format": "{content["format"]}",\n "runs": [\n  {lines}\n ]\n}}\n'


def sample_picture(state: Path, runs: Sequence[Run], name: str) -> bytes | None:
    """Return a picture of a set: a row of samples for each training, None for none."""
    rows = []
    for run in (run for run in runs if run.set == name):
        path = state / "results" / f"{run.set}_{run.family}_{run.conditioning}_seed-{run.seed}.png"
        if path.is_file():
            rows.append(_row(Image.open(path).convert("RGB"), run.image_size))
    if not rows:
        return None
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * row.height))
    buffer = io.BytesIO()
    # 256 colours: a third of the bytes
    sheet.quantize(256).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _row(grid: Image.Image, image_size: int) -> Image.Image:
    """Return the first samples of a grid, ten in a row, beside each other."""
    step = grid.width // 10
    row = Image.new("RGB", (SHOWN * SIDE, SIDE))
    for number in range(SHOWN):
        top, left = step * (number // 10), step * (number % 10)
        cell = grid.crop((left + 1, top + 1, left + step - 1, top + step - 1))
        row.paste(cell.resize((SIDE, SIDE), Image.Resampling.BOX), (number * SIDE, 0))
    return row


def curves(runs: Sequence[Run], name: str) -> bytes:
    """Return a picture: FID of one set over CPU seconds and over images, both logarithmic."""
    from matplotlib.figure import Figure  # slow to import
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for run in (run for run in runs if run.set == name):
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
            scale.set_major_locator(LogLocator(subs=(1, 2, 5)))
            scale.set_major_formatter("{x:,.0f}")
            scale.set_minor_formatter(NullFormatter())
        axis.grid(alpha=0.3, which="both")
    axes[0].set(ylabel=f"FID, {SETS[name]}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=6)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90, metadata={"Software": None})
    return buffer.getvalue()


# --- the page -------------------------------------------------------------------------------------


def page(runs: Sequence[Run]) -> str:
    """Return the text of ``docs/choosing.md``."""
    if not runs:
        return INTRODUCTION.format(budget="no", done=0, every=len(SETS) * 20, seeds=0) + NOT_RUN_AT_ALL
    minutes = sorted({run.budget / 60 for run in runs})
    budget = " or ".join(f"{each:.2g}" for each in minutes)
    settings = {(run.set, run.family, run.conditioning) for run in runs}
    head = INTRODUCTION.format(
        budget=budget, done=len(settings), every=len(SETS) * 20, seeds=len({run.seed for run in runs})
    )
    parts = [head, decision(runs), *(part for name in SETS for part in _of_set(runs, name)), HOW]
    return "\n".join(parts)


def decision(runs: Sequence[Run]) -> str:
    """Return the table that answers the question."""
    lines = [
        "| images | measured on | conditioned on | FID in the same CPU time | FID after the same number of "
        "images | not compared |",
        "|---|---|---|---|---|---|",
    ]
    for name in SETS:
        for kind in CONDITIONINGS:
            group = [run for run in runs if (run.set, run.conditioning) == (name, kind)]
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
    means, precision = _means(group, at, "fid"), _means(group, at, "precision")
    blurred = {family for family in means if precision[family] < SHAPES}
    ordered = sorted(means, key=lambda family: (family in blurred, means[family]))
    shown = [
        f"{FAMILIES[family]} {means[family]:.1f}{' (no shapes yet)' if family in blurred else ''}"
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
        f"At the end of the budget, {first.samples:,} samples over the features of `{first.judge}` "
        f"({first.processor}, {first.precision}, one thread):\n",
        "| networks | conditioned on | seed | CPU s | images seen | FID | KID x 1000 | precision | recall "
        "| nearer to training |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row_of(run) for run in own),
        "",
        f"![FID over CPU seconds and images](images/choosing-{name}.png)\n",
    ]
    if (PICTURES / f"choosing-{name}-samples.png").is_file():
        order = "; ".join(f"{FAMILIES[run.family]} ({CONDITIONINGS[run.conditioning]})" for run in own)
        lines.append(f"![Samples, a row for each training](images/choosing-{name}-samples.png)\n")
        lines.append(f"*Unselected samples at the end of the budget; rows from above: {order}.*\n")
    if name in SEEN and common_seconds(own) == LOOKED_AT:
        lines.append(f"{SEEN[name]}\n")
    return lines


def _title(name: str) -> str:
    return SETS[name][0].upper() + SETS[name][1:]


def _row_of(run: Run) -> str:
    last = run.curve[-1]
    cells = [
        FAMILIES[run.family],
        CONDITIONINGS[run.conditioning],
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


#: what somebody saw who looked at the samples, and after which budget; of another one it says nothing
LOOKED_AT = 90.0
SEEN = {
    "emoji": """By eye nothing of this shows an emoji yet, whatever its precision: 90 s at 64 pixels are
5,000 to 12,000 images. BigGAN's samples have the white ground and the colours, and lead for that; with
projection it alone was trained for six minutes, when flags and yellow heads begin to show. Of the same
pictures at 32 pixels a StyleGAN2 makes faces, flags and people [after some 300,000](results/emoji.md).""",
    "fashion-1": """By eye BigGAN's are garments where classes are learnt, FastGAN's have their outlines
(not with the omni-loss, under which projected discriminators fail within these minutes), StyleGAN2's and
R3GAN's are blobs. **What is first after 90 s need not stay so:** with projection all were trained for six
minutes. BigGAN's are garments that one recognises then (FID 20.6 -> 7.1), FastGAN's black and white noise
(14.7 -> 34.0, at a rate of 1e-3 where `mmcgan new` takes 4e-4), StyleGAN2 shows one blob, R3GAN several.""",
    "fashion-10": "By eye as with 600 images.",
    "fashion-100": "By eye as with 600; after 6 min of projection BigGAN has garments, StyleGAN2 one blob.",
}

INTRODUCTION = """# Which one for my 500, 5,000 or 50,000 images?

*Written by `tools/dev/choosing.py` from measured results (`mmcgan/proposal/small_sets.json`); `mmcgan new`
proposes by the same: of the set whose number of images is the nearest (at most 4 times as many, or as few),
under the conditioning that it proposes, the family with the lowest FID in the same CPU time whose samples
have shapes. Change neither by hand.*

Four families of networks, each without conditions, with classes (projection, omni-loss, D2D-CE) and with
instances, on four small sets. {done} of {every} settings have been trained so far, with {budget} CPU minutes
each on one thread and {seeds} seed(s).

**How far this can be trusted.** The budget is tiny: at its end no family has converged, one seed does not
separate figures that lie near each other, and who learns fastest in the first minutes need not be who ends
best. Look at the samples before the figures: where they are blobs still, a lower FID says that the blobs
are nearer, not that anything was learnt. The networks are small, and each family has the settings of its
laptop configs, not tuned for these sets. A family that computes less for each image sees more of them in
the same time: that is why there are two comparisons. Small FIDs are better; **bold** is the first of those
that were compared, and *no shapes yet* stands beside a precision below 0.1, which no FID makes good.
"""
NOT_RUN_AT_ALL = "\nNothing has been trained yet.\n"
HOW = """## How it is measured

`benchmarks/small_sets.py` puts the configs together and keeps them, counts CPU time of the training's own
process (evaluations do not count), and reads each training off at 5,000, 10,000, 20,000 ... images and at
22.5, 45, 90 ... seconds. FID and KID compare with all training images of Fashion-MNIST, or of emoji;
precision and recall (k = 3) with as many real images as samples. *Nearer to training* is the share of
samples whose nearest training image is nearer than their nearest held-out one, among equally many of both:
50 % where nothing is copied (samples that look like nothing real may lean to one side too: read it beside
the precision). Projected discriminators and instances look through EfficientNet-Lite0
(ImageNet), at 64 px; the judges are classifiers of Fashion-MNIST and of the emoji's categories, which no
discriminator looks through. Both have seen the held-out images of 1 %, 10 % and emoji as they have seen
the training images; only those of the whole Fashion-MNIST, its test images, are new to them.

    python tools/fetch_emoji.py FOLDER
    python benchmarks/small_sets.py --state work_dirs/small_sets --emoji FOLDER --minutes 15
    python tools/dev/choosing.py --collect work_dirs/small_sets

goes on with what is there, with a larger budget where one is given, and writes this page anew. See
[small sets of one's own](projected.md) for the parts, and [your own images](your_images.md) for
`mmcgan new`.
"""


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
    if given.collect is not None and not given.check:
        content = collect(given.collect)
        write_file(FILE, data_text(content))
    runs = runs_of(read_json(FILE, "figures of small sets")) if FILE.is_file() else []
    if given.check:
        print(f"out of date: {PAGE.relative_to(ROOT)}" if stale(runs) else "up to date")
        return int(stale(runs))
    for name in dict.fromkeys(run.set for run in runs):
        write_file(PICTURES / f"choosing-{name}.png", curves(runs, name))
        samples = None if given.collect is None else sample_picture(given.collect, runs, name)
        if samples is not None:
            write_file(PICTURES / f"choosing-{name}-samples.png", samples)
    write_file(PAGE, page(runs))
    print(f"wrote {PAGE.relative_to(ROOT)}: {len(runs)} trainings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
