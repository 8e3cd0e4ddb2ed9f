"""``mmcgan compare``: runs side by side on one page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mmcgan.commands.shared import add_overwrite, from_number, labelled_paths, writes
from mmcgan.output_paths import COMPARISON, says
from mmcgan.text_files import say

if TYPE_CHECKING:
    from mmcgan.comparison.runs import RunRecord


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Write one page of runs: the settings that differ, figures, curves, and samples of the same latents. "
        "Runs that differ in their seed only are put together, as mean and deviation."
    )
    parser.add_argument(
        "runs", nargs="+", metavar="NAME=DIR", help="work directories, with a name or without"
    )
    parser.add_argument("--num", type=int, default=20, help="samples of each; 0 for none (default: 20)")
    from_number(parser, "num", 0)
    parser.add_argument("--seed", type=int, default=0, help="of the samples (default: %(default)s)")
    from_number(parser, "seed", None)
    out = parser.add_argument(
        "--out", default="comparison.html", metavar="FILE", help="page to write (default: %(default)s)"
    )
    # of runs that go on, it is asked for again and again
    writes(parser, out, suffixes=(".html",), own=says(f"<title>{COMPARISON}</title>"))
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the page and print its path.

    Raises:
        FileNotFoundError: a folder is no run's.
        ValueError: a folder's files are damaged, or ``--num`` is negative.
    """
    from mmcgan.checkpoints.atomic import write_file
    from mmcgan.comparison.page import comparison_page
    from mmcgan.comparison.runs import read_run

    if arguments.num < 0:
        raise ValueError(f"--num {arguments.num}: give 0 or more")
    runs = [read_run(name, folder) for name, folder in labelled_paths(arguments.runs).items()]
    samples = [samples_of(run, arguments.num, arguments.seed) for run in runs]
    write_file(arguments.out, comparison_page(runs, samples))
    say(f"page: {arguments.out}")


def samples_of(run: RunRecord, num: int, seed: int) -> bytes | str:
    """Return a PNG of samples of a run's newest checkpoint, or why there is none."""
    import torch

    from mmcgan.apis.inference import CGANInferencer
    from mmcgan.pictures import contact_sheet, encode_png

    if num == 0:
        return "not asked for"
    if run.checkpoint is None:
        return "no checkpoint"
    try:
        images = torch.as_tensor(CGANInferencer(run.checkpoint)(num=num, seed=seed, return_type="tensor"))
    except (ValueError, OSError, ImportError) as error:
        return str(error)
    columns = next(count for count in (10, 8, 6, 5, 4, 3, 2, 1) if num % count == 0)
    return bytes(encode_png(contact_sheet(images, columns)))
