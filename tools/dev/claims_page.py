"""Write what came out of the claims into ``docs/claims.md``: table, sections, pictures, and what was not run.

    python tools/dev/claims_page.py --out work_dirs/claims    # in a checkout, after mmcgan claims run
    python tools/dev/claims_page.py --check                   # status 1 if a claim is missing from the page

Of each claim the share of the budget with the most seeds counts, the larger of two. What the page says in
words stands between the parts that are written, and is kept; so is what it says of a claim of which the
folder has fewer seeds than the page, or shorter runs: those were made elsewhere.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmcgan.checkpoints.atomic import write_file
from mmcgan.claims.claim import Claim
from mmcgan.claims.page import PICTURES, Outcome, outcome_of, page_text, write_page
from mmcgan.claims.points import draw_points
from mmcgan.claims.registry import all_claims
from mmcgan.text_files import read_text

ROOT = Path(__file__).resolve().parents[2]
PAGE, IMAGES = ROOT / "docs" / "claims.md", ROOT / "docs" / "images" / "claims"
SEEDS = (0, 1, 2, 3, 4)
MINUTES = (
    "Minutes of one idle core for one seed at the whole budget, all arms; claims share runs, so that several "
    "together cost less, and three\nseeds three times as much."
)


def best_outcome(claim: Claim, shares: Sequence[float], out: Path) -> tuple[float, Outcome]:
    """Return the share of the budget with the most seeds, the larger of two, and what came out of it."""
    found = [(share, outcome_of(claim, SEEDS, share, out)) for share in sorted(shares, reverse=True)]
    return max(found, key=lambda pair: len(pair[1].verdict.seeds))


def replaced(page: str, part: str, text: str) -> str:
    """Return the page with another text between the marks of a part.

    Raises:
        ValueError: the page lacks a mark.
    """
    begin, end = _marks(part)
    between = _between(page, part)
    before, _, rest = page.partition(begin + between + end)
    return f"{before}{begin}\n{text.strip()}\n\n{end}{rest}"


def _marks(part: str) -> tuple[str, str]:
    return f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"


def _between(page: str, part: str) -> str:
    begin, end = _marks(part)
    if begin not in page or end not in page:
        raise ValueError(f"{PAGE} lacks {begin!r} or {end!r}")
    return page.partition(begin)[2].partition(end)[0]


@dataclass(frozen=True)
class Entry:
    """What the page says of one claim.

    Attributes:
        share: of the budget.
        seeds: that decide it.
        row: of the table.
        section: about it, from its heading on.
    """

    share: float
    seeds: int
    row: str
    section: str


def entries_of(page: str) -> dict[str, Entry]:
    """Return what a page says of each claim, by name."""
    sections = {
        part.partition("\n")[0]: "### " + part for part in _between(page, "each claim").split("### ")[1:]
    }
    found = {}
    for row in _between(page, "what came out").splitlines():
        if not (named := re.match(r"\| \[([\w-]+)\]\(#[\w-]+\)(?:, share ([\d.]+))? \|", row)):
            continue
        name, share = named.groups()
        seeds = int(row.rsplit("|", 3)[1])
        found[name] = Entry(float(share or 1), seeds, row, sections[name].strip())
    return found


def figures_in(section: str) -> tuple[str, dict[str, list[float]]]:
    """Return what a section's table holds: the first arm's figure, and of all arms that have it every seed's.

    The second arm is compared with the first, whatever its figure is called.
    """
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    key = rows[0][2]
    alike = {row[0]: row[3] for place, row in enumerate(rows) if place < 2 or row[2] == key}
    found = {label: re.findall(r"-?[\d.,]+(?:e[+-]?\d+)?", each) for label, each in alike.items()}
    return key, {
        label: [float(part.strip(",").replace(",", "")) for part in each] for label, each in found.items()
    }


def new_entries(outcomes: dict[float, list[Outcome]]) -> dict[str, Entry]:
    """Return what came out, by name of the claim."""
    found = {}
    for share, some in outcomes.items():
        for outcome in some:
            name = outcome.claim.name
            pictured = {name} if (IMAGES / f"{name}.png").is_file() else set()
            table, _, rest = page_text([outcome], pictured, "").partition("\n\n## ")
            row = table.splitlines()[-1]
            row = row.replace(" |", f", share {share:g} |", 1) if share < 1 else row
            section = "### " + rest.strip().replace(f"({PICTURES}/", "(images/claims/")
            found[name] = Entry(share, len(outcome.verdict.seeds), row, section)
    return found


def tables(entries: dict[str, Entry]) -> tuple[str, str]:
    """Return the table of all entries and the sections about each, those of the largest budget first."""
    ordered = sorted(entries.values(), key=lambda entry: -entry.share)
    head = page_text([], set(), "").strip().splitlines()[-2:]
    return "\n".join([*head, *(each.row for each in ordered)]), "\n\n".join(each.section for each in ordered)


def missing_table(claims: Sequence[Claim]) -> str:
    """Return the table of claims that were not run, a sentence where there are none."""
    if not claims:
        return "Every claim that mmcgan registers has been run."
    rows = [
        f"| {claim.name} | {claim.statement} | {claim.source} | {claim.published} | {claim.minutes:.3g} |"
        for claim in claims
    ]
    head = [
        MINUTES,
        "",
        "| claim | what it says | source | the paper's figure | minutes |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def write(out: Path, shares: Sequence[float]) -> None:
    """Write the parts of the page and copy the pictures."""
    page = read_text(PAGE)
    known = entries_of(page)
    outcomes: dict[float, list[Outcome]] = {}
    for name, claim in all_claims().items():
        share, outcome = best_outcome(claim, shares, out)
        found = len(outcome.verdict.seeds), share
        if found[0] and (name not in known or found >= (known[name].seeds, known[name].share)):
            outcomes.setdefault(share, []).append(outcome)
    for some in outcomes.values():
        write_page(some, out / "page", "")
    drawn = sorted((out / "page" / PICTURES).glob("*.png"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    for picture in drawn:
        shutil.copyfile(picture, IMAGES / picture.name)
    merged = known | new_entries(outcomes)
    for name, entry in list(merged.items()):
        if not (IMAGES / f"{name}.png").is_file():
            write_file(IMAGES / f"{name}.png", draw_points(*figures_in(entry.section)))
        line = f"![{name}](images/claims/{name}.png)"
        if line not in entry.section:
            merged[name] = replace(entry, section=f"{entry.section}\n\n{line}")
    missing = [claim for claim in all_claims().values() if claim.name not in merged]
    table, sections = tables({name: merged[name] for name in all_claims() if name in merged})
    page = replaced(page, "what came out", table)
    page = replaced(page, "each claim", sections)
    write_file(PAGE, replaced(page, "not run yet", missing_table(missing)))


def absent() -> list[str]:
    """Return the claims that the page does not name."""
    page = read_text(PAGE)
    return [name for name in all_claims() if f"| {name} |" not in page and f"[{name}]" not in page]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page or check it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="of mmcgan claims run")
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0, 0.6, 0.4, 0.25, 0.2, 0.15, 0.1])
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(arguments)
    if given.out is not None and not given.check:
        write(given.out.resolve(), given.shares)
    for name in absent():
        print(f"{PAGE} does not name {name}", file=sys.stderr)
    return 1 if absent() else 0


if __name__ == "__main__":
    sys.exit(main())
