"""What a claim is: two arms, a figure of each, and the direction in which they should differ."""

from __future__ import annotations

from dataclasses import dataclass

from mmcgan.claims.figure import Figure
from mmcgan.claims.source import Source


@dataclass(frozen=True)
class Arm:
    """One side of a comparison.

    Attributes:
        label: what it is called in tables and pictures.
        source: what its runs come from.
        figure: what of it is compared.
    """

    label: str
    source: Source
    figure: Figure


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
        minutes: of one core that the whole budget of one seed takes, all arms, evaluations included; roughly,
            on a processor of 2023 with nothing else to do. Claims share runs, so that several cost less.
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
    minutes: float = 0.0

    def __post_init__(self) -> None:
        labels = [arm.label for arm in self.arms]
        if len(set(labels)) < len(labels):
            raise ValueError(f"claim {self.name}: two arms are called the same ({', '.join(labels)})")
        if self.minutes < 0:
            raise ValueError(f"claim {self.name}: minutes must not be negative, got {self.minutes}")
        if self.margin is not None and not 0 < self.margin < 1:
            raise ValueError(f"claim {self.name}: margin must be between 0 and 1, got {self.margin}")

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, the compared ones first."""
        return self.better, self.worse, *self.also
