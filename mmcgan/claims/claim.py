"""What a claim is: two arms, a figure of each, and the direction in which they should differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

#: what a figure of a training is taken to be: its last value, its best one, or how far it fell from the best
When = Literal["last", "lowest", "highest", "last over lowest"]


#: in commands and settings of a claim: the folder in which claims keep their files
OUT = "{out}"


@dataclass(frozen=True)
class Preparation:
    """A file or folder that trainings need, made once.

    Attributes:
        target: what the command makes, below the folder of claims.
        command: arguments of ``mmcgan``; :data:`OUT` in them is the folder of claims.
    """

    target: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """One training that a claim needs, for every seed.

    Attributes:
        config: name of a shipped config.
        iterations: generator updates at the whole budget.
        evaluations: how many times it is evaluated, evenly, the last time at the end.
        options: settings of the config to replace, by dotted path; :data:`OUT` in a text is the folder of
            claims.
        needs: what has to be there before, in this order.
    """

    config: str
    iterations: int
    evaluations: int = 5
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Preparation, ...] = ()


@dataclass(frozen=True)
class Logged:
    """A figure that a training logs.

    Attributes:
        key: its name in the log, such as ``fid``.
        when: which of its values counts.
    """

    key: str
    when: When = "last"

    def of(self, series: Mapping[int, float]) -> float:
        """Return the figure of values by iteration; NaN if one of those that count is."""
        values = [series[step] for step in sorted(series)]
        if self.when != "last" and any(map(math.isnan, values)):
            return math.nan  # min and max would pass by it, or not, by its place
        if self.when == "lowest":
            return min(values)
        if self.when == "highest":
            return max(values)
        if self.when == "last over lowest":
            return values[-1] / min(values)
        return values[-1]


@dataclass(frozen=True)
class Evaluated:
    """A figure that ``mmcgan test`` finds of the trained, or of a shipped, model.

    Attributes:
        key: its name in the report.
        arguments: further ones of the command, such as ``("--truncations", "0.5")``.
    """

    key: str
    arguments: tuple[str, ...] = ()
    when: ClassVar[When] = "last"


@dataclass(frozen=True)
class Arm:
    """One side of a comparison.

    Attributes:
        label: what it is called in tables and pictures.
        source: a training, or the name of a shipped model, which has one value per seed of the samples.
        figure: what of it is compared.
    """

    label: str
    source: Training | str
    figure: Logged | Evaluated


@dataclass(frozen=True)
class Claim:
    """Something that a paper says, and how it is decided here.

    Attributes:
        name: as it is typed.
        statement: what is claimed, in our own words.
        source: paper, and figure or table.
        published: the paper's own figure for it, as text.
        better, worse: the arms; the claim is that ``better``'s figure lies on the right side of ``worse``'s.
        lower: whether the right side is below.
        margin: ``None``: the interval of the difference must exclude 0 (a difference is claimed). A share of
            the worse arm's mean: the interval must lie within that of 0 (no difference is claimed).
        logarithm: the difference is of logarithms: ratios are compared, as suits figures over magnitudes.
        also: further arms for the curves and the table.
        note: what the reader must know about this scale.
    """

    name: str
    statement: str
    source: str
    published: str
    better: Arm
    worse: Arm
    lower: bool = True
    margin: float | None = None
    logarithm: bool = False
    also: tuple[Arm, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        labels = [arm.label for arm in self.arms]
        if len(set(labels)) < len(labels):
            raise ValueError(f"claim {self.name}: two arms are called the same ({', '.join(labels)})")
        if self.margin is not None and not 0 < self.margin < 1:
            raise ValueError(f"claim {self.name}: margin must be between 0 and 1, got {self.margin}")

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, the compared ones first."""
        return self.better, self.worse, *self.also
