"""``mmcgan claims``: what the papers claim, tried here."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mmcgan.commands.shared import from_number, writes
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.claims.claim import Claim
    from mmcgan.claims.step import Step

LIST, RUN, REPORT = "list", "run", "report"
SHARES = "shares.json"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "List the papers' claims with their state, train and evaluate what they need (run), or write the "
        "page of what came out (report). Finished runs are kept and shared; an interrupted one goes on."
    )
    parser.add_argument("action", nargs="?", choices=(LIST, RUN, REPORT), default=LIST)
    parser.add_argument("names", nargs="*", metavar="NAME", help="claims (default: all)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="SEED", help="default: 0 1 2"
    )
    from_number(parser, "seeds", None)
    parser.add_argument("--share", type=float, default=1.0, help="of each training's whole budget (1)")
    out = parser.add_argument(
        "--out", type=Path, default=Path("work_dirs/claims"), metavar="DIR", help="default: %(default)s"
    )
    writes(parser, out, folder=True, locks_itself=True)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 if a run failed.

    Raises:
        ValueError: no claim of a name, or a share or seed that cannot be.
    """
    from mmcgan.claims.registry import find_claims
    from mmcgan.locks import held_output

    if not 0 < arguments.share <= 1:
        raise ValueError(f"--share {arguments.share}: give a number above 0 and at most 1")
    if min(arguments.seeds) < 0 or len(set(arguments.seeds)) < len(arguments.seeds):
        raise ValueError(f"--seeds {arguments.seeds}: give different numbers from 0 on")
    arguments.out = arguments.out.resolve()
    claims = find_claims(arguments.names)
    failed = 0
    if arguments.action == RUN:
        with held_output(arguments.out, "--out"):  # what has come out so far can be looked at meanwhile
            failed = _run_all(claims, arguments)
    if arguments.action == REPORT:
        _report(claims, arguments)
    else:
        _show(claims, arguments)
    return 1 if failed else 0


def _show(claims: Sequence[Claim], arguments: argparse.Namespace) -> None:
    from mmcgan.claims.page import outcome_of, spread

    width = max(len(claim.name) for claim in claims)
    for claim in claims:
        outcome = outcome_of(claim, arguments.seeds, arguments.share, arguments.out)
        sides = " against ".join(
            spread(outcome.figures[arm.label].values()) for arm in (claim.better, claim.worse)
        )
        cost = f"{claim.source}; some {claim.minutes * arguments.share:.3g} min of a core a seed"
        found = f"{sides}, {len(outcome.verdict.seeds)} seeds" if outcome.verdict.seeds else cost
        say(f"{claim.name:{width}}  {outcome.verdict.state}: {found}")
    others = _shares(arguments.out) - {arguments.share}
    if others:
        known = " and ".join(f"--share {share:g}" for share in sorted(others))
        say(f"{arguments.out} has runs of {known} too, which count by that alone")


def _shares(out: Path) -> set[float]:
    """Return the shares with which runs of a folder were made."""
    from mmcgan.text_files import content_of, read_json

    path, what = out / SHARES, "the shares of claims' runs"
    if not path.is_file():
        return set()
    content = read_json(path, what)
    with content_of(path, what):
        return {float(share) for share in content["shares"]}


def _remember_share(share: float, out: Path) -> None:
    from mmcgan.checkpoints.atomic import write_file

    write_file(out / SHARES, json.dumps({"shares": sorted(_shares(out) | {share})}))


def _report(claims: Sequence[Claim], arguments: argparse.Namespace) -> None:
    from mmcgan.claims.page import outcome_of, write_page

    outcomes = [outcome_of(claim, arguments.seeds, arguments.share, arguments.out) for claim in claims]
    say(f"page: {write_page(outcomes, arguments.out, arguments.invocation)}")


def _say(called: str, step: Step) -> None:
    say(f"{called}: {step.what}", flush=True)


def _run_all(claims: Sequence[Claim], arguments: argparse.Namespace) -> int:
    from mmcgan.claims.runs import missing_steps, perform_all, wanted_runs

    wanted = wanted_runs(claims, arguments.seeds, arguments.share, arguments.out)
    begin, done, failed = time.monotonic(), 0, 0
    missing = [entry for entry in wanted if next(missing_steps(entry), None)]
    _remember_share(arguments.share, arguments.out)
    say(f"{len(wanted)} runs, {len(wanted) - len(missing)} finished before", flush=True)
    for number, entry in enumerate(missing, start=1):
        called = f"[{number}/{len(missing)}] {entry.run.name}"
        try:
            perform_all(entry, partial(_say, called))
        except OSError as error:
            failed += 1
            say(error, to=sys.stderr, flush=True)
            continue
        done += 1
        left = (time.monotonic() - begin) / done * (len(missing) - number) / 60
        say(f"{called}: done; about {left:.0f} min left", flush=True)
    return failed
