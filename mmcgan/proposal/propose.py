"""From a folder and a time to a config that fits both: what is done, step by step, and said beforehand."""

from __future__ import annotations

import math
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mmcgan.checkpoints.atomic import write_file
from mmcgan.output_paths import check_outside
from mmcgan.proposal.choices import (
    LEAST_SEEN,
    Choice,
    Method,
    Width,
    choose_method,
    enough,
    iterations_in,
    widths_for,
)
from mmcgan.proposal.config_text import Source, config_text
from mmcgan.proposal.families import NETWORKS
from mmcgan.proposal.instances import installed_extractor, make_judge, make_store, spoken
from mmcgan.proposal.measure import STEPS, measure_step
from mmcgan.proposal.survey import Roots, Survey, survey
from mmcgan.timing import Pace, quiet_clock

LEAST_IMAGES = 8
CONFIG, STORE = "config.py", "instances"


@dataclass(frozen=True)
class Proposal:
    """What was made.

    Attributes:
        config: the file of the config.
        seen: what the images are.
        choices: what was chosen, and why.
        step: how long an iteration takes, measured here.
        iterations: of the training.
        command: that trains it.
    """

    config: Path
    seen: Survey
    choices: list[Choice]
    step: Pace
    iterations: int
    command: str

    @property
    def duration(self) -> str:
        """How long the command takes, as it is said before it begins."""
        return spoken(self.step, self.iterations)


def propose(
    folder: Roots,
    out: str | Path,
    hours: float = 2.0,
    labelled: bool | None = None,
    flip: bool = True,
    command: str = "",
    say: Callable[[str], None] = print,
) -> Proposal:
    """Look at a folder of images and write a config that trains on them in the time, and what it needs.

    What is measured is the thread's own time, so that other work of this machine does not make the proposal
    smaller; where there was such work, it is said, and how long everything takes beside it.

    Args:
        folder: of images, a zip archive, or several of these.
        out: folder to make: gets the config and, where the method needs them, an extractor and a store.
        hours: from now to the end of the training, on a machine that is left alone.
        labelled: see :func:`mmcgan.proposal.survey.list_images`.
        flip: mirrored images show the same kind of thing.
        command: what the user typed, for the record.
        say: told each step before it begins, and what came out.

    Raises:
        FileExistsError: there is a config in ``out``.
        FileNotFoundError, ValueError: no folder, too few images, or a time that nothing fits.
    """
    if not (hours > 0 and math.isfinite(hours)):
        raise ValueError(f"--hours {hours}: must be a finite number greater than 0")
    out, roots, clock = Path(out), _resolved(folder), quiet_clock()
    check_outside(out, "--out", roots)
    begun = clock()
    root = roots[0] if len(roots) == 1 else roots
    if (out / CONFIG).exists():
        raise FileExistsError(f"{out / CONFIG} exists; choose another --out, or train it")
    seen = _looked_at(root, labelled, say)
    method = choose_method(seen, flip)
    out.mkdir(parents=True, exist_ok=True)
    seconds, store, judge = hours * 3600, None, installed_extractor()
    if method.instances:
        store = (out / STORE).resolve()
        judge = make_store(root, store, method, judge, seconds, command, say)
    if judge is not None and judge["type"] == NETWORKS[method.family].looks_through:
        judge = make_judge(root, out, method, seconds, command, say)
    source = Source(root, seen.count, store)
    width, step, tried = _measured(source, method, seen, seconds, say)
    left = max(seconds - (clock() - begun), 0.1 * seconds)
    iterations = iterations_in(left, step.own)
    choices = [*method.choices, *_reasons(width, step, iterations, left, tried, judge)]
    text = config_text(source, method, width, iterations, judge, choices, command or "mmcgan new")
    write_file(out / CONFIG, text)
    for choice in choices:
        say(f"{choice.what}: {choice.value} ({choice.reason})")
    train = shlex.join(["mmcgan", "train", str(out / CONFIG), "--work-dir", str(out / "run")])
    return Proposal(out / CONFIG, seen, choices, step, iterations, train)


def _looked_at(root: Roots, labelled: bool | None, say: Callable[[str], None]) -> Survey:
    """Look at the images and say what they are, once it is clear that a training can read them."""
    seen = survey(root, labelled)
    for line in seen.lines():
        say(line)
    faults = [*seen.unreadable, *seen.faults]
    if faults:
        raise ValueError(
            f"{len(faults)} files or folders cannot be read, and training would stop at them: mend, convert "
            f"or remove them: {'; '.join(faults[:5])}{'; ...' if len(faults) > 5 else ''}"
        )
    if seen.count < LEAST_IMAGES:
        raise ValueError(f"{seen.root} has {seen.count} images; at least {LEAST_IMAGES} are needed")
    return seen


def _resolved(folder: Roots) -> list[str]:
    """Return the folders as a config of another place can name them."""
    several = [folder] if isinstance(folder, str | Path) else folder
    return [str(Path(one).resolve()) for one in several]


def _measured(
    source: Source, method: Method, seen: Survey, seconds: float, say: Callable[[str], None]
) -> tuple[Width, Pace, list[str]]:
    """Return the widest networks that see enough images in the time, their step, and what was too slow."""
    tried: list[str] = []
    candidates = widths_for(seen, torch.cuda.is_available())
    longest = [seconds * width.batch_size / LEAST_SEEN[width.image_size] for width in candidates]
    say(
        f"measuring networks of up to {len(candidates)} sizes, the largest first: at most "
        f"{STEPS * sum(longest):.0f} s for those that fit, and one iteration of each that is too slow"
    )
    for number, width in enumerate(candidates):
        last = number == len(candidates) - 1
        most = longest[number]
        with tempfile.TemporaryDirectory() as trial:
            path = Path(trial) / CONFIG
            path.write_text(config_text(source, method, width, 1000), encoding="utf-8")
            step = measure_step(path, float("inf") if last else most)
        say(
            f"{width.image_size} pixels, {width.channels} channels, batch {width.batch_size}: "
            f"{step.own:.3g} s an iteration on this machine"
            + (f"; beside its other work {step.wall:.3g} s" if step.held_up else "")
        )
        if last or enough(width, step.own, seconds):
            return width, step, tried
        tried.append(f"{width.image_size} px with {width.channels} channels took {step.own:.2g} s")
    raise AssertionError("there is always a last one")


def _reasons(
    width: Width,
    step: Pace,
    iterations: int,
    left: float,
    tried: list[str],
    judge: dict[str, Any] | None,
) -> list[Choice]:
    images = iterations * width.batch_size
    needed = LEAST_SEEN[width.image_size]
    why = f"{images:,} images seen; about {needed:,} make samples that one recognises"
    if images < needed:
        why += ": this is less, give --hours more"
    hours, busy = iterations * step.own / 3600, iterations * step.wall / 3600
    takes = f"{step.own:.3g} s each, measured here: {hours:.2g} of {left / 3600:.2g} h left"
    if step.held_up:
        takes += (
            f"; the machine was busy: one took {step.wall:.3g} s, and all take {busy:.2g} h if it stays so"
        )
    slower = f"; {'; '.join(tried)}, too slow for that" if tried else ""
    return [
        Choice("size and width", f"{width.image_size} pixels, {width.channels} channels", why + slower),
        Choice("batch", str(width.batch_size), "at most half of the images"),
        Choice("iterations", f"{iterations:,}", takes),
        Choice(
            "evaluation",
            "none" if judge is None else "KID, four times",
            "no extractor is installed (extra weights)"
            if judge is None
            else "unbiased for few images, where FID is not",
        ),
    ]
