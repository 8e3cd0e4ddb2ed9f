"""What families of GANs reached on small sets, as ``benchmarks/small_sets.py`` measured it.

The package keeps it: ``docs/choosing.md`` and the reasons of ``mmcgan new`` are made of these figures.
``tools/dev/choosing.py`` collects them and writes the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mmcgan.text_files import content_of, read_json

FILE = Path(__file__).with_name("small_sets.json")
FORMAT = "mmcgan-small-sets-1"
#: what sets, families and conditionings are called, in the order of tables
SETS = {
    "fashion-1": "1 % of Fashion-MNIST",
    "emoji": "emoji of two vendors",
    "fashion-10": "10 % of Fashion-MNIST",
    "fashion-100": "Fashion-MNIST",
}
FAMILIES = {
    "biggan-diffaug": "BigGAN + DiffAugment",
    "stylegan2-ada": "StyleGAN2-ADA",
    "r3gan": "R3GAN",
    "fastgan-projected": "FastGAN + projected discriminator",
}
CONDITIONINGS = {
    "unconditional": "none",
    "projection": "class, projection",
    "omni": "class, omni-loss",
    "d2dce": "class, D2D-CE",
    "instance": "instance (IC-GAN)",
}
#: the family of a set that none of these speaks for
FIRST = "biggan-diffaug"
#: below this precision samples are blobs still, whatever their FID
SHAPES = 0.1
#: below this recall samples of a kind are hardly more than one image
VARIETY = 0.01
#: a set speaks for others of up to so many times as many, or as few, images
ALIKE = 4.0
#: kinds of conditioning that learn names of classes
WITH_CLASSES = ("projection", "omni", "d2dce")


@dataclass(frozen=True)
class Reading:
    """Figures at one moment of a training.

    Attributes:
        images: real images seen.
        seconds: CPU seconds of the training's process.
        fid, kid, precision, recall: of samples, over the judge's features.
        nearer_training: share of samples nearer to a training image than to a held-out one; 0.5 where nothing
            is copied.
    """

    images: int
    seconds: float
    fid: float
    kid: float
    precision: float
    recall: float
    nearer_training: float


@dataclass(frozen=True)
class Run:
    """One training of the comparison.

    Attributes:
        set, family, conditioning: keys of :data:`SETS`, :data:`FAMILIES`, :data:`CONDITIONINGS`.
        seed: of the training.
        images: in the set.
        image_size: pixels a side.
        budget: CPU seconds.
        samples: made for each reading.
        judge: whose features the figures are of.
        processor, precision: what it was computed with.
        curve: readings, in order.
        recipe: 2 for the learning rates and averages of weights that ``mmcgan new`` writes, 1 for those of
            the schedules that were measured before (1e-3 for BigGAN and FastGAN).
        judge_hash: of the judge's weights; "" where it was not noted.
    """

    set: str
    family: str
    conditioning: str
    seed: int
    images: int
    image_size: int
    budget: float
    samples: int
    judge: str
    processor: str
    precision: str
    curve: tuple[Reading, ...]
    recipe: int = 1
    judge_hash: str = ""

    @property
    def circumstances(self) -> tuple[int, str, str]:
        """What has to be the same for a comparison at equal CPU time: recipe, processor and precision."""
        return self.recipe, self.processor, self.precision

    def at_seconds(self, seconds: float) -> Reading | None:
        """Return the first reading after so many CPU seconds; None if the training was shorter."""
        return next((each for each in self.curve if each.seconds >= seconds), None)

    def at_images(self, images: int) -> Reading | None:
        """Return the first reading after so many images; None if the training saw fewer."""
        return next((each for each in self.curve if each.images >= images), None)


def runs_of(content: Mapping[str, Any]) -> list[Run]:
    """Return the trainings of a file's content, in the order of tables.

    Raises:
        KeyError, TypeError, ValueError: it is not such content.
    """
    if content["format"] != FORMAT:
        raise ValueError(f"format is {content['format']!r}, expected {FORMAT!r}")
    runs = [_run(entry) for entry in content["runs"]]
    names = [list(table) for table in (SETS, FAMILIES, CONDITIONINGS)]
    return sorted(
        runs,
        key=lambda run: (
            names[0].index(run.set),
            names[2].index(run.conditioning),
            names[1].index(run.family),
            run.seed,
        ),
    )


def _run(entry: Mapping[str, Any]) -> Run:
    fields = Reading.__dataclass_fields__
    curve = tuple(Reading(**{name: reading[name] for name in fields}) for reading in entry["curve"])
    renamed = {"budget", "curve", "recipe", "judge_hash"}
    own = {name: entry[name] for name in Run.__dataclass_fields__ if name not in renamed}
    # what earlier results do not say
    later: dict[str, Any] = {
        "recipe": int(entry.get("recipe", 1)),
        "judge_hash": str(entry.get("judge_hash", "")),
    }
    run = Run(budget=float(entry["budget_seconds"]), curve=curve, **own, **later)
    numbers = [value for reading in curve for value in vars(reading).values()]
    if not curve or not all(math.isfinite(value) for value in numbers):
        raise ValueError(
            f"{run.set}, {run.family}, {run.conditioning}: no readings, or some that are no numbers"
        )
    return run


@cache
def measured() -> tuple[Run, ...]:
    """Return the trainings that the package keeps; none without its file.

    Raises:
        ValueError: the file is damaged.
    """
    if not FILE.is_file():
        return ()
    content = read_json(FILE, "figures of small sets")
    with content_of(FILE, "figures of small sets"):
        return tuple(runs_of(content))


def common_seconds(runs: Iterable[Run]) -> float:
    """Return the CPU seconds that all of some trainings had."""
    return min(run.budget for run in runs)


def common_images(runs: Sequence[Run], first: int = 5_000) -> int | None:
    """Return the largest of 5,000, 10,000, 20,000 ... images that all trainings saw; None for none."""
    images, least = first, min(run.curve[-1].images for run in runs)
    if least < first:
        return None
    while 2 * images <= least:
        images *= 2
    return images


def comparable(runs: Iterable[Run]) -> list[Run]:
    """Return those trained alike and judged by one judge: of most families, or else by the newest recipe."""
    alike: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        alike.setdefault((*run.circumstances, run.judge_hash), []).append(run)

    def worth(group: list[Run]) -> tuple[int, int, float]:
        return len({run.family for run in group}), group[0].recipe, common_seconds(group)

    return max(alike.values(), key=worth, default=[])


def nearest_runs(count: int, conditioning: str, runs: Iterable[Run] | None = None) -> list[Run]:
    """Return comparable trainings on the set whose number of images is the nearest to ``count``.

    Only those of one conditioning: which family is best differs between them. Sets that were trained by the
    newest recipe go before nearer ones that were not: other rates than those that are written say less than
    another set. Empty where no set is within a factor of :data:`ALIKE`, or where fewer than two families were
    trained on it.

    Args:
        count: images of a set.
        conditioning: a key of :data:`CONDITIONINGS`.
        runs: of which; None for those that the package keeps.
    """
    known: dict[str, list[Run]] = {}
    for run in measured() if runs is None else runs:
        apart = abs(math.log(run.images / max(1, count)))
        if run.conditioning == conditioning and apart <= math.log(ALIKE):
            known.setdefault(run.set, []).append(run)
    groups = [comparable(trained) for trained in known.values()]
    several = [group for group in groups if len({run.family for run in group}) > 1]

    def rank(group: list[Run]) -> tuple[int, float]:
        return -group[0].recipe, abs(math.log(group[0].images / max(1, count)))

    return min(several, key=rank, default=[])


def remark(precision: float, recall: float) -> str:
    """Return what an FID does not say of samples, to stand behind it; "" for nothing."""
    if precision < SHAPES:
        return " (no shapes yet)"
    return " (no variety yet)" if recall < VARIETY else ""


@dataclass(frozen=True)
class Comparison:
    """Families on one set under one conditioning, after the CPU time that all of them had.

    Attributes:
        runs: of the families, some with several seeds.
    """

    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """CPU seconds after which they are compared."""
        return common_seconds(self.runs)

    def means(self, figure: str) -> dict[str, float]:
        """Return the mean over seeds of a field of :class:`Reading`, by family."""
        found: dict[str, list[float]] = {}
        for run in self.runs:
            if (reading := run.at_seconds(self.seconds)) is not None:
                found.setdefault(run.family, []).append(getattr(reading, figure))
        return {family: sum(values) / len(values) for family, values in found.items()}

    def ranked(self) -> list[str]:
        """Return the families whose samples have shapes, those of lower FID first."""
        fids, precisions = self.means("fid"), self.means("precision")
        return sorted((name for name in fids if precisions[name] >= SHAPES), key=fids.__getitem__)

    def sentence(self) -> str:
        """Return what was measured, for a reader who has a set of his own."""
        fids, precisions, recalls = (self.means(name) for name in ("fid", "precision", "recall"))
        first = self.runs[0]
        listed = ", ".join(
            f"{FAMILIES[name]} {fids[name]:.1f}{remark(precisions[name], recalls[name])}"
            for name in sorted(fids, key=fids.__getitem__)
        )
        seeds = len({run.seed for run in self.runs})
        return (
            f"FID after {self.seconds / 60:.2g} CPU minutes on {first.images:,} images ({SETS[first.set]}, "
            f"conditioned on: {CONDITIONINGS[first.conditioning]}; {seeds} seed{'s' if seeds > 1 else ''}): "
            f"{listed}"
        )


def compared(count: int, conditioning: str, runs: Iterable[Run] | None = None) -> Comparison | None:
    """Return what is known about sets of about ``count`` images under a conditioning; None if nothing is.

    Args:
        count, conditioning, runs: see :func:`nearest_runs`.
    """
    nearest = nearest_runs(count, conditioning, runs)
    return Comparison(tuple(nearest)) if nearest else None
