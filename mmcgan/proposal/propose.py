"""From a folder and a time to a config that fits both: what is done, step by step, and said beforehand."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from mmcgan.checkpoints.atomic import write_file
from mmcgan.datasets.sets.folder import ImageFolder
from mmcgan.extractor_training.train_ssl import SSLOptions, train_ssl_extractor
from mmcgan.extractors.efficientnet import PACKAGE
from mmcgan.extractors.names import extractor_config
from mmcgan.instance_preparation.options import Options
from mmcgan.instance_preparation.prepare import prepare_instances
from mmcgan.proposal.choices import (
    LEAST_SEEN,
    Choice,
    Method,
    Width,
    choose_method,
    enough,
    iterations_in,
    neighbours_for,
    widths_for,
)
from mmcgan.proposal.config_text import config_text
from mmcgan.proposal.measure import STEPS, measure_step
from mmcgan.proposal.survey import Survey, survey

LEAST_IMAGES = 8
#: of an extractor of one's own, and of the share of the time that it may take
SSL_SIZE, SSL_BATCH, SSL_SHARE, MOST_UPDATES = 32, 128, 0.1, 3000
CONFIG, STORE, EXTRACTOR = "config.py", "instances", "extractor.safetensors"


@dataclass(frozen=True)
class Proposal:
    """What was made.

    Attributes:
        config: the file of the config.
        seen: what the images are.
        choices: what was chosen, and why.
        step: seconds of an iteration, measured here.
        iterations: of the training.
        command: that trains it.
    """

    config: Path
    seen: Survey
    choices: list[Choice]
    step: float
    iterations: int
    command: str


def propose(
    folder: str | Path,
    out: str | Path,
    hours: float = 2.0,
    labelled: bool | None = None,
    flip: bool = True,
    command: str = "",
    say: Callable[[str], None] = print,
) -> Proposal:
    """Look at a folder of images and write a config that trains on them in the time, and what it needs.

    Args:
        folder: of images.
        out: folder to make: gets the config and, where the method needs them, an extractor and a store.
        hours: from now to the end of the training.
        labelled: see :func:`mmcgan.proposal.survey.list_images`.
        flip: mirrored images show the same kind of thing.
        command: what the user typed, for the record.
        say: told each step before it begins, and what came out.

    Raises:
        FileExistsError: there is a config in ``out``.
        FileNotFoundError, ValueError: no folder, too few images, or a time that nothing fits.
    """
    if not hours > 0:
        raise ValueError(f"--hours {hours}: must be greater than 0")
    out, folder, begun = Path(out), Path(folder).resolve(), time.monotonic()
    if (out / CONFIG).exists():
        raise FileExistsError(f"{out / CONFIG} exists; choose another --out, or train it")
    seen = survey(folder, labelled)
    for line in seen.lines():
        say(line)
    if seen.unreadable:
        raise ValueError(
            f"{len(seen.unreadable)} of the {seen.looked_at:,} images looked at cannot be read, and training "
            f"would stop at them: mend or remove them: {'; '.join(seen.unreadable[:5])}"
        )
    if seen.count < LEAST_IMAGES:
        raise ValueError(f"{folder} has {seen.count} images; at least {LEAST_IMAGES} are needed")
    method = choose_method(seen, flip)
    out.mkdir(parents=True, exist_ok=True)
    seconds, store, judge = hours * 3600, None, _downloaded()
    if method.instances:
        store, judge = _make_store(folder, out, seen, method, seconds, judge, command, say)
    width, step, tried = _measured(folder, method, seen, seconds, store, say)
    left = seconds - (time.monotonic() - begun)
    iterations = iterations_in(max(left, 0.1 * seconds), step)
    choices = [*method.choices, *_reasons(width, step, iterations, left, tried, judge)]
    text = config_text(
        folder, method, width, iterations, seen.count, store, judge, choices, command or "mmcgan new"
    )
    write_file(out / CONFIG, text)
    for choice in choices:
        say(f"{choice.what}: {choice.value} ({choice.reason})")
    train = f"mmcgan train {out / CONFIG} --work-dir {out / 'run'}"
    return Proposal(out / CONFIG, seen, choices, step, iterations, train)


def _downloaded() -> dict[str, Any] | None:
    """Return the config of the extractor whose weights come as a package, None where that is not there."""
    return extractor_config("efficientnet-lite0") if importlib.util.find_spec(PACKAGE) is not None else None


def _make_store(
    folder: Path,
    out: Path,
    seen: Survey,
    method: Method,
    seconds: float,
    judge: dict[str, Any] | None,
    command: str,
    say: Callable[[str], None],
) -> tuple[Path, dict[str, Any]]:
    """Make the store of instances, and the extractor before it where none is installed."""
    if judge is None:
        judge = _train_extractor(folder, out, seen, method, seconds * SSL_SHARE, command, say)
        method.choices.append(Choice("extractor", "trained on these images", "none is installed"))
    else:
        method.choices.append(Choice("extractor", "EfficientNet-Lite0", "it is installed (extra weights)"))
    from mmcgan.registry import EXTRACTORS

    network = EXTRACTORS.build(dict(judge))
    images = ImageFolder(str(folder), network.preprocessing.image_size, labelled=False)
    options = Options(neighbours_for(len(images)), min(1000, len(images) // 2), method.flip, command=command)
    say(f"features and {options.k} neighbours of {len(images):,} images, into {out / STORE}")
    prepare_instances(images, judge, out / STORE, options, network)
    return (out / STORE).resolve(), judge


def _train_extractor(
    folder: Path, out: Path, seen: Survey, method: Method, seconds: float, command: str, say: Any
) -> dict[str, Any]:
    """Train an extractor for a share of the time: as many updates as fit into it, measured first."""
    images = ImageFolder(str(folder), SSL_SIZE, labelled=False, in_memory=seen.count <= 20_000)
    options = SSLOptions(batch_size=min(SSL_BATCH, max(2, seen.count // 2)), image_size=SSL_SIZE, updates=8)
    options = replace(options, augmentation=replace(options.augmentation, flip=method.flip))
    with tempfile.TemporaryDirectory() as trial:
        record = train_ssl_extractor(
            images, options, Path(trial) / "trial.safetensors", command, compare=False
        )
    updates = max(20, min(MOST_UPDATES, int(seconds / (record["training_seconds"] / 8))))
    minutes = updates * record["training_seconds"] / 8 / 60
    say(f"an extractor of features is trained on these images: {updates:,} updates, about {minutes:.0f} min")
    made = out / EXTRACTOR
    from mmcgan.progress import training_bar

    with training_bar() as progress:
        record = train_ssl_extractor(images, replace(options, updates=updates), made, command, progress)
    for name, share in record["quality"].items():
        say(f"  {name}: {share:.0%}")
    return extractor_config(str(made.resolve()))


def _measured(
    folder: Path,
    method: Method,
    seen: Survey,
    seconds: float,
    store: Path | None,
    say: Callable[[str], None],
) -> tuple[Width, float, list[str]]:
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
            path.write_text(config_text(folder, method, width, 1000, seen.count, store), encoding="utf-8")
            step = measure_step(path, float("inf") if last else most)
        say(
            f"{width.image_size} pixels, {width.base_channels} channels, batch {width.batch_size}: "
            f"{step:.3g} s an iteration on this machine"
        )
        if last or enough(width, step, seconds):
            return width, step, tried
        tried.append(f"{width.image_size} px with {width.base_channels} channels took {step:.2g} s")
    raise AssertionError("there is always a last one")


def _reasons(
    width: Width,
    step: float,
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
    slower = f"; {'; '.join(tried)}, too slow for that" if tried else ""
    return [
        Choice("size and width", f"{width.image_size} pixels, {width.base_channels} channels", why + slower),
        Choice("batch", str(width.batch_size), "at most half of the images"),
        Choice(
            "iterations",
            f"{iterations:,}",
            f"{step:.3g} s each, measured here: {iterations * step / 3600:.2g} of {left / 3600:.2g} h left",
        ),
        Choice(
            "evaluation",
            "none" if judge is None else "KID, four times",
            "no extractor is installed (extra weights)"
            if judge is None
            else "unbiased for few images, where FID is not",
        ),
    ]
