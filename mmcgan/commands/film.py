"""``mmcgan film``: a run's sample grids, one after another."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmcgan.commands.shared import writes
from mmcgan.text_files import say

#: milliseconds of a picture; a GIF holds 655 s of one, and joins equal ones
LONGEST = 60_000


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="DIR", help="work directory of a run")
    out = parser.add_argument("--out", default="film.gif", metavar="FILE", help=".gif or .mp4 (%(default)s)")
    writes(parser, out, suffixes=(".gif", ".mp4"))
    parser.add_argument("--milliseconds", type=int, default=250, help="per picture (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")


def run(arguments: argparse.Namespace) -> None:
    """Write the film and print its path.

    Raises:
        FileExistsError: the file is there and ``--overwrite`` is off.
        FileNotFoundError: the run has no sample grids.
        ValueError: grids of different sizes, or a time below 10 milliseconds or above a minute.
    """
    from mmcgan.comparison.film import grids_of, read_grid
    from mmcgan.films import video_writer, write_film

    if not 10 <= arguments.milliseconds <= LONGEST:
        raise ValueError(f"--milliseconds {arguments.milliseconds}: give 10 or more, and at most {LONGEST}")
    out = Path(arguments.out)
    if out.suffix.lower() == ".mp4":
        video_writer()
    if out.exists() and not arguments.overwrite:
        raise FileExistsError(f"{out} exists; choose another --out or give --overwrite")
    grids = grids_of(arguments.run)
    if not grids:
        raise FileNotFoundError(f"no sample grids in {arguments.run} (looked for samples/iter_*.png)")
    frames = []
    for file in grids:
        frames.append(read_grid(file))
        if frames[-1].shape != frames[0].shape:
            raise ValueError(f"{file} is not of the size of {grids[0]}: not one run's grids")
    write_film([*frames, *[frames[-1]] * 3], out, arguments.milliseconds)  # the end is looked at longest
    say(f"film: {out}, {len(grids)} pictures")
