"""The answer in short: what to take for so many images, with classes and without."""

from __future__ import annotations

from collections.abc import Sequence

from mmcgan.proposal.figures import FAMILIES, Run, compared, remark

#: of the question that the page answers
COUNTS = (500, 5_000, 50_000)
#: what `mmcgan new` proposes, from the most wanted on, and what such a set is called
KINDS = {
    "omni": "with classes (omni-loss)",
    "instance": "without classes (IC-GAN)",
    "unconditional": "no conditions at all",
}
NOT_MEASURED = "not measured"


def in_short(runs: Sequence[Run]) -> str:
    """Return the table of the first family for each number of images and kind of set."""
    lines = [f"| my images | {' | '.join(KINDS.values())} |", "|---" * (1 + len(KINDS)) + "|"]
    for count in COUNTS:
        cells = [_first(count, kind, runs) for kind in KINDS]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _first(count: int, kind: str, runs: Sequence[Run]) -> str:
    known = compared(count, kind, runs)
    if known is None or not known.ranked():
        return NOT_MEASURED
    family = known.ranked()[0]
    fid, precision, recall = (known.means(name)[family] for name in ("fid", "precision", "recall"))
    budget = f"{known.seconds / 60:.2g} min on {known.runs[0].images:,}"
    return f"**{FAMILIES[family]}**, FID {fid:.1f}{remark(precision, recall)} after {budget}"
