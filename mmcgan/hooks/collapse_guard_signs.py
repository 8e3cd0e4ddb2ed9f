"""What speaks for a collapsed training, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmcgan.hooks.monitor import Monitor

State = dict[str, Any]
VANISHED = 0.01  # of the largest feature length seen
PROGRESS = 0.02  # of the best value: a smaller gain of the metric says nothing
LOSS = 0.001  # of what the metric has gained since its first evaluation: a smaller loss says nothing
SIGNS = ("separation", "metric", "feature_norm", "diversity")


@dataclass(frozen=True)
class Limits:
    """Beyond which figure something counts as a sign of collapse; None never looks at it.

    Attributes:
        separation: chance that a real image scores above a fake one, in (0.5, 1].
        metric: factor by which the metric is worse than its best, above 1. An unbiased estimate of a distance
            (KID) may be negative, which says that noise reaches as far as that: values up to the factor
            times its magnitude are no sign, and never a loss of less than a thousandth of what the run
            has gained since its first evaluation, as a factor of almost 0 would be. Where more is better,
            a negative best gets more negative by the factor.
        feature_norm: factor by which the features have grown since they were smallest, above 1.
            (Features that vanish, to a hundredth, count as well.)
        diversity: difference between fakes over that between real images, in [0, 1).

    Raises:
        ValueError: a limit is out of range.
    """

    separation: float | None = 0.99
    metric: float | None = 1.5
    feature_norm: float | None = 10.0
    diversity: float | None = 0.2

    def __post_init__(self) -> None:
        allowed: dict[str, tuple[Callable[[float], bool], str]] = {
            "separation": (lambda limit: 0.5 < limit <= 1, "in (0.5, 1]"),
            "metric": (lambda limit: limit > 1, "above 1"),
            "feature_norm": (lambda limit: limit > 1, "above 1"),
            "diversity": (lambda limit: 0 <= limit < 1, "in [0, 1)"),
        }
        for name, (fits, words) in allowed.items():
            limit = getattr(self, name)
            if limit is not None and not fits(limit):
                raise ValueError(f"CollapseGuardHook: limits.{name} must be {words} or None, got {limit}")


def fresh_state() -> State:
    """Return the memory of a guard that has seen nothing; plain data, checkpointed."""
    return {
        "since": {},  # sign -> iteration at which it began
        "checks": 0,  # checks in a row with signs enough
        "smallest": None,  # feature length, before it vanished
        "largest": None,
        "value": None,  # of the metric, the last and the best
        "best": None,
        "best_at": None,
        "first": None,  # finite value
        "improving": False,
        "warned": False,
        "rollbacks": 0,
    }


def after_roll_back(state: State) -> State:
    """Return the memory after a roll-back: the best value stays, the signs are forgotten."""
    kept = {key: state[key] for key in ("best", "best_at", "first")} | {"value": state["best"]}
    return {**fresh_state(), **kept, "rollbacks": state["rollbacks"] + 1}


def remember(
    state: State,
    figures: Mapping[str, float],
    evaluated: float | None,
    monitor: Monitor | None,
    iteration: int,
) -> State:
    """Return ``state`` with a new measurement and, if there was one, a new evaluation."""
    state = dict(state)
    length = figures.get("feature_norm_real")
    if length is not None and math.isfinite(length) and not _has_vanished(length, state):
        state["smallest"] = length if state["smallest"] is None else min(length, state["smallest"])
        state["largest"] = length if state["largest"] is None else max(length, state["largest"])
    if evaluated is not None and monitor is not None:
        best = state["best"]
        margin = 0.0 if best is None else PROGRESS * abs(best)
        state |= {"value": evaluated, "improving": monitor.is_better(evaluated, best, margin)}
        if state["first"] is None and math.isfinite(evaluated):
            state["first"] = evaluated
        if monitor.is_better(evaluated, best):
            state |= {"best": evaluated, "best_at": iteration}
    return state


def count(state: State, signs: Mapping[str, str], iteration: int, needed: int) -> State:
    """Return ``state`` after a check that found ``signs``.

    A check counts if there are ``needed`` signs or more and the metric does not improve.
    """
    alarming = len(signs) >= needed and not state["improving"]
    return {
        **state,
        "since": {name: state["since"].get(name, iteration) for name in signs},
        "checks": state["checks"] + 1 if alarming else 0,
        "warned": state["warned"] and alarming,
    }


def in_words(signs: Mapping[str, str], since: Mapping[str, int]) -> str:
    """Return one sentence of all ``signs`` and since when each holds."""
    return ", and ".join(f"since iteration {since[name]} {words}" for name, words in signs.items())


def find_signs(
    figures: Mapping[str, float], state: State, monitor: Monitor | None, limits: Limits
) -> dict[str, str]:
    """Return what speaks for a collapse, in words, by name of the sign.

    Args:
        figures: the last measurement, see :func:`~mmcgan.hooks.discriminator_measures.measure`.
        state: the range of feature lengths and the metric's ``value`` and ``best`` are looked at.
        monitor: the metric and which way is better.
        limits: beyond which something counts.
    """
    found: dict[str, str | None] = {}
    if limits.separation is not None:
        found["separation"] = _separated(figures, limits.separation)
    if limits.metric is not None and monitor is not None:
        found["metric"] = _worse(state, monitor, limits.metric)
    if limits.feature_norm is not None:
        found["feature_norm"] = _out_of_range(figures, state, limits.feature_norm)
    if limits.diversity is not None:
        found["diversity"] = _alike(figures, limits.diversity)
    return {name: words for name, words in found.items() if words is not None}


def _separated(figures: Mapping[str, float], limit: float) -> str | None:
    chances = {n.removesuffix(".separation"): v for n, v in figures.items() if n.endswith(".separation")}
    if not chances:
        return None
    unknown = [head for head, chance in chances.items() if math.isnan(chance)]
    if unknown:  # max() would pass by it, or not, by its place
        return f"the discriminator's {unknown[0]} logits are no numbers"
    head = max(chances, key=chances.__getitem__)
    real, fake = (figures[f"{head}.logit_{view}"] for view in ("real", "fake"))
    if chances[head] >= limit:
        return (
            "the discriminator separates real from fake almost perfectly "
            f"({100 * chances[head]:.1f} % of pairs, mean {head} logits {real:.3g} and {fake:.3g})"
        )
    if chances[head] == 0.5 and math.isclose(real, fake, rel_tol=1e-6):
        return f"the discriminator says the same of every image ({head} logit {real:.3g})"
    return None


def _worse(state: State, monitor: Monitor, factor: float) -> str | None:
    value, best = state["value"], state["best"]
    if value is None or best is None:
        return None
    limit = _worst_allowed(best, state["first"], monitor.rule, factor)
    if not monitor.is_better(limit, value) and not math.isnan(value):
        return None
    direction = "rose" if monitor.rule == "less" else "fell"
    return f"{monitor.metric} {direction} from {best:.4g} (iteration {state['best_at']}) to {value:.4g}"


def _worst_allowed(best: float, first: float | None, rule: str, factor: float) -> float:
    """Return the value that is just as much worse than ``best`` as :class:`Limits` calls a sign."""
    least = LOSS * abs(best - first) if first is not None and math.isfinite(best) else 0.0
    if rule == "less":
        return max(abs(best) * factor, best + least)
    return min(best / factor if best > 0 else best * factor, best - least)


def _out_of_range(figures: Mapping[str, float], state: State, factor: float) -> str | None:
    length, smallest = figures.get("feature_norm_real"), state["smallest"]
    if length is None or smallest is None:
        return None
    if _has_vanished(length, state):
        return f"the discriminator's features have vanished (mean length {length:.3g}, before {smallest:.3g})"
    if length < factor * smallest:
        return None
    return f"the discriminator's features have grown from {smallest:.3g} to {length:.3g} (mean length)"


def _has_vanished(length: float, state: State) -> bool:
    return state["largest"] is not None and length < VANISHED * state["largest"]


def _alike(figures: Mapping[str, float], limit: float) -> str | None:
    fake, real = figures.get("diversity_fake"), figures.get("diversity_real")
    if fake is None or real is None or fake >= limit * real:
        return None
    return f"generated images hardly differ ({fake:.3g} between two, {real:.3g} between real ones)"
