"""Write what came out of the claims into ``docs/claims.md``: table, sections, pictures, and what was not run.

    python tools/dev/claims_page.py --out work_dirs/claims    # in a checkout, after mmcgan claims run
    python tools/dev/claims_page.py --check                   # status 1 if a claim is missing from the page

Of each claim the share of the budget with the most seeds counts, the larger of two. What the page says in
words stands between the parts that are written, and is kept.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mmcgan.checkpoints.atomic import write_file
from mmcgan.claims.claim import Claim
from mmcgan.claims.page import PICTURES, Outcome, outcome_of, page_text, write_page
from mmcgan.claims.registry import all_claims
from mmcgan.text_files import read_text

ROOT = Path(__file__).resolve().parents[2]
PAGE, IMAGES = ROOT / "docs" / "claims.md", ROOT / "docs" / "images" / "claims"
SEEDS = (0, 1, 2, 3, 4)


def best_outcome(claim: Claim, shares: Sequence[float], out: Path) -> tuple[float, Outcome]:
    """Return the share of the budget with the most seeds, the larger of two, and what came out of it."""
    found = [(share, outcome_of(claim, SEEDS, share, out)) for share in sorted(shares, reverse=True)]
    return max(found, key=lambda pair: len(pair[1].verdict.seeds))


def replaced(page: str, part: str, text: str) -> str:
    """Return the page with another text between the marks of a part.

    Raises:
        ValueError: the page lacks a mark.
    """
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    if begin not in page or end not in page:
        raise ValueError(f"{PAGE} lacks {begin!r} or {end!r}")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{text.strip()}\n\n{end}{rest.partition(end)[2]}"


def tables(outcomes: dict[float, list[Outcome]]) -> tuple[str, str]:
    """Return the table of all outcomes and the sections about each, those of the largest budget first."""
    rows, sections = [], []
    head = ""
    for share, some in sorted(outcomes.items(), reverse=True):
        pictured = {each.claim.name for each in some if (IMAGES / f"{each.claim.name}.png").is_file()}
        table, _, rest = page_text(some, pictured, "").partition("\n\n## ")
        lines = table[table.index("| claim |") :].splitlines()
        head = "\n".join(lines[:2])
        rows += [line.replace(" |", f", share {share:g} |", 1) if share < 1 else line for line in lines[2:]]
        sections.append("### " + rest.replace("\n## ", "\n### ").replace(f"({PICTURES}/", "(images/claims/"))
    return "\n".join([head, *rows]), "\n\n".join(section.strip() for section in sections)


def missing_table(claims: Sequence[Claim]) -> str:
    """Return the table of claims that were not run."""
    rows = [
        f"| {claim.name} | {claim.statement} | {claim.source} | {claim.published} | {claim.minutes:.3g} |"
        for claim in claims
    ]
    head = ["| claim | what it says | source | the paper's figure | minutes |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def write(out: Path, shares: Sequence[float]) -> None:
    """Write the parts of the page and copy the pictures."""
    outcomes: dict[float, list[Outcome]] = {}
    missing = []
    for claim in all_claims().values():
        share, outcome = best_outcome(claim, shares, out)
        if outcome.verdict.seeds:
            outcomes.setdefault(share, []).append(outcome)
        else:
            missing.append(claim)
    for some in outcomes.values():
        write_page(some, out / "page", "")
    drawn = sorted((out / "page" / PICTURES).glob("*.png"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    for picture in drawn:
        shutil.copyfile(picture, IMAGES / picture.name)
    table, sections = tables(outcomes)
    page = replaced(read_text(PAGE), "what came out", table)
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
