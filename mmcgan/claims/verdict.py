"""Whether a claim holds, from the figures of several seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mmcgan.claims.claim import Claim

State = Literal["holds", "does not hold", "undecided", "not run"]
HOLDS: State = "holds"
FAILS: State = "does not hold"
UNDECIDED: State = "undecided"
MISSING: State = "not run"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes:
        state: whether the claim holds.
        seeds: those that both arms have.
        difference: mean over seeds of better minus worse (of logarithms, if the claim compares ratios), and
            the ends of its interval of 95 % confidence; None without two seeds.
    """

    state: State
    seeds: tuple[int, ...] = ()
    difference: tuple[float, float, float] | None = None


def decide(claim: Claim, better: Mapping[int, float], worse: Mapping[int, float]) -> Verdict:
    """Return the verdict over the seeds that both arms have.

    The differences of the same seed are taken, and the interval of their mean is Student's (n - 1 degrees of
    freedom). A difference is claimed: it holds if the whole interval lies on the claimed side of 0, fails if
    it lies on the other. Equality within a margin is claimed: it holds if the whole interval lies within the
    margin, fails if it lies wholly outside (two one-sided tests). Everything else is undecided.

    Args:
        claim: what is asked.
        better, worse: figures by seed.

    Raises:
        ValueError: a figure is not finite, or not positive where ratios are compared.
    """
    seeds = tuple(sorted(set(better) & set(worse)))
    if not seeds:
        return Verdict(MISSING)
    if len(seeds) < 2:
        return Verdict(UNDECIDED, seeds)
    differences = [_value(claim, better[seed]) - _value(claim, worse[seed]) for seed in seeds]
    mean, half = statistics.mean(differences), _half_width(differences)
    low, high = mean - half, mean + half
    if claim.margin is not None:
        bound = _bound(claim, [worse[seed] for seed in seeds])
        inside, outside = -bound < low and high < bound, low > bound or high < -bound
    else:
        inside, outside = (high < 0, low > 0) if claim.lower else (low > 0, high < 0)
    state: State = HOLDS if inside else FAILS if outside else UNDECIDED
    return Verdict(state, seeds, (mean, low, high))


def _value(claim: Claim, figure: float) -> float:
    if not math.isfinite(figure) or (claim.logarithm and figure <= 0):
        raise ValueError(f"claim {claim.name}: a figure is {figure}")
    return math.log(figure) if claim.logarithm else figure


def _bound(claim: Claim, worse: list[float]) -> float:
    assert claim.margin is not None
    return math.log1p(claim.margin) if claim.logarithm else claim.margin * abs(statistics.mean(worse))


def _half_width(values: list[float]) -> float:
    from scipy.stats import t  # slow to import

    quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))
