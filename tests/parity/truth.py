"""Judging against truth: the float64 result of our network, not one processor's rounding.

A recorded float32 number carries the rounding of the processor that recorded it, ours that of this one.
Where a network is ill conditioned, or where one rectifier stands on its kink, both may be off by per cents
and neither is wrong. So every checker runs in float64 too, and

- the recorded number may differ from our float64 number by the case's tolerance, or by :data:`MULTIPLE`
  times what float32 arithmetic does to that quantity: the difference of our own float32 and float64 runs,
  or the change of our float64 result when weights and inputs move by a few units of float32's last place
  (:data:`SHAKE`; a kink lies on either side), whichever is largest;
- our float32 number must agree with our float64 number in the same sense, the recorded one standing for
  the other float32 run;
- numbers recorded in float64 (``out64/``) agree to :data:`TIGHT` of the largest entry.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.parity.compare import Comparison, Measurement

#: Rounding may exceed what was seen in one other run by this factor.
MULTIPLE = 3.0
#: Relative change of weights and inputs: eight times the largest rounding error of float32, which stands
#: for that of the operations in between.
SHAKE = 8 * 2.0**-24
#: The same for float64, for what even float64 leaves open (the sign of a gradient that is zero).
SHAKE_64 = 8 * 2.0**-53
#: Number of changes tried before a difference counts as one.
PROBES = 8
#: A recorded float32 number is itself rounded.
ROUNDED = 2.0**-23
#: Allowed difference of two float64 results, relative to the largest entry.
TIGHT = 1e-9


class Float32Draws(TorchFunctionMode):
    """Draws random numbers as float32 would, then widens them: both precisions see the same draws."""

    def __torch_function__(
        self, func: Callable, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call ``func``, drawing in float32 where float64 would be drawn."""
        kwargs = kwargs or {}
        if func in (torch.rand, torch.randn) and kwargs.get("dtype") is None:
            return func(*args, **{**kwargs, "dtype": torch.float32}).double()
        if func in (torch.rand_like, torch.randn_like) and args[0].dtype == torch.float64:
            return func(args[0].float(), *args[1:], **kwargs).double()
        if func in (Tensor.normal_, Tensor.uniform_) and args[0].dtype == torch.float64:
            return args[0].copy_(func(args[0].float(), *args[1:], **kwargs))
        return func(*args, **kwargs)


@contextmanager
def arithmetic(dtype: torch.dtype) -> Iterator[None]:
    """Compute in ``dtype``, float32 or float64: what is read and built meanwhile is of it."""
    before = torch.get_default_dtype()
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.set_default_dtype(dtype)
        try:
            with Float32Draws() if dtype == torch.float64 else nullcontext():
                yield
        finally:
            torch.set_default_dtype(before)


@dataclass(frozen=True)
class Verdict:
    """One quantity judged.

    Attributes:
        name: of the quantity.
        error: its relative error, the larger of recorded against truth and float32 against truth.
        limit: what that error may be.
    """

    name: str
    error: float
    limit: float

    @property
    def ok(self) -> bool:
        """Whether the error is within the limit (a NaN is not)."""
        return self.error <= self.limit

    @property
    def excess(self) -> float:
        """Error in units of the limit; above 1 is a failure."""
        return self.error / self.limit if self.limit else math.inf * (self.error > 0)


Probe = Callable[[int], Comparison]
Key = tuple[str, int]


@dataclass
class Judge:
    """Holds a case's two runs, and further ones where they are needed.

    Attributes:
        single, double: the same checker in float32 and in float64.
        probe: number -> the checker in float64 with weights and inputs moved by :data:`SHAKE`.
        probes: how many may be asked for.
    """

    single: Comparison
    double: Comparison
    probe: Probe
    probes: int = PROBES

    def verdicts(self) -> list[Verdict]:
        """Return the verdict on every quantity, in order of comparison."""
        quantities = {key: Quantity(*pair) for key, pair in paired(self.single, self.double).items()}
        found = {key: quantity.verdict() for key, quantity in quantities.items()}
        for number in range(self.probes):
            doubtful = [key for key in found if not found[key].ok and math.isfinite(found[key].error)]
            if not doubtful:
                break
            moved = keyed(self.probe(number).measured)
            for key in doubtful:
                if key in moved:
                    quantities[key].see(moved[key].ours)
                found[key] = quantities[key].verdict()
        return list(found.values())


class Quantity:
    """One quantity in float32 and in float64, and what rounding was seen to do to it.

    Args:
        single, double: the same quantity, measured in float32 and in float64.
    """

    def __init__(self, single: Measurement, double: Measurement) -> None:
        self.double, self.allowed = double, max(double.rtol, ROUNDED)
        self.recorded = self._from_truth(double.theirs)
        self.own = self._from_truth(single.ours)
        self.seen = None if self.own is None else torch.zeros_like(self.own)

    def _from_truth(self, value: Tensor | None) -> Tensor | None:
        truth = self.double.ours
        return None if value is None or truth is None else self.double.errors(value, truth)

    def see(self, moved: Tensor | None) -> None:
        """Take note of the quantity after a move of weights and inputs."""
        change = self._from_truth(moved)
        if change is not None and self.seen is not None:
            self.seen = torch.maximum(self.seen, change)

    def verdict(self) -> Verdict:
        """Return the worse of: recorded against truth, our float32 against truth."""
        if self.recorded is None or self.own is None or self.seen is None:
            return Verdict(self.double.name, math.inf, self.allowed)
        judged = (self._judge(self.recorded, self.own), self._judge(self.own, self.recorded))
        return max(judged, key=lambda verdict: verdict.excess)

    def _judge(self, errors: Tensor, other: Tensor) -> Verdict:
        """Return the verdict on the worst entry that counts, given the errors of the other float32 run."""
        name = self.double.name
        if not errors.numel():
            return Verdict(name, 0.0, self.allowed)
        assert self.seen is not None
        rounding = torch.maximum(self.seen, other).flatten()
        # An entry by itself may be close by luck; the median speaks for all and not for one kink.
        common = rounding.max() if self.double.alike else rounding.median()
        rounding = torch.maximum(rounding, common).nan_to_num(0.0, 0.0)
        limits = (MULTIPLE * rounding).clamp(min=self.allowed)
        errors = errors.flatten()
        order = (errors / limits).argsort()
        worst = order[max(int(self.double.share * len(order)), 1) - 1]
        return Verdict(name, float(errors[worst]), float(limits[worst]))


def keyed(measured: Sequence[Measurement]) -> dict[Key, Measurement]:
    """Return measurements by name and number of occurrence."""
    seen: Counter[str] = Counter()
    found = {}
    for measurement in measured:
        found[measurement.name, seen[measurement.name]] = measurement
        seen[measurement.name] += 1
    return found


def paired(single: Comparison, double: Comparison) -> dict[Key, tuple[Measurement, Measurement]]:
    """Return what two runs of a checker measured, by name.

    Raises:
        ValueError: they compared different quantities.
    """
    first, second = keyed(single.measured), keyed(double.measured)
    if first.keys() != second.keys():
        odd = sorted({name for name, _ in first.keys() ^ second.keys()})
        raise ValueError(f"float32 and float64 compared different quantities: {odd[:4]}")
    return {key: (first[key], second[key]) for key in first}


def tight_verdicts(
    found: Comparison, probe: Probe, judged: Callable[[Measurement], bool], limit: float = TIGHT
) -> list[Verdict]:
    """Return verdicts on float64 results against float64 results, entry by entry.

    The only room beyond :data:`TIGHT` is what float64 itself leaves open: entries that change when weights
    and inputs move in float64's last place (Adam's first step along a gradient that is zero).

    Args:
        found: of the checker with the recorded float64 numbers.
        probe: number -> the same with weights and inputs moved by :data:`SHAKE_64`.
        judged: whether a quantity was recorded in float64.
        limit: of the error; wider only where a record says that parts of it were computed in float32.
    """
    measured = {key: value for key, value in keyed(found.measured).items() if judged(value)}
    verdicts = {key: Verdict(key[0], tight_error(value), limit) for key, value in measured.items()}
    doubtful = [key for key, verdict in verdicts.items() if not verdict.ok and measured[key].ours is not None]
    for number in range(2 if doubtful else 0):
        moved = keyed(probe(number).measured)
        for key in doubtful:
            other = moved[key].ours if key in moved else None
            error = tight_error(measured[key], other)
            verdicts[key] = min(verdicts[key], Verdict(key[0], error, limit), key=lambda v: v.error)
    return list(verdicts.values())


def tight_error(found: Measurement, moved: Tensor | None = None) -> float:
    """Return the largest error relative to the largest entry, less what a move of the inputs changes."""
    if found.ours is None or found.theirs is None or found.ours.shape != found.theirs.shape:
        return math.inf
    ours, theirs = found.ours, found.theirs
    if not theirs.numel():
        return 0.0
    largest = max(float(theirs.nan_to_num(0.0, 0.0, 0.0).abs().max()), found.tolerance.whole)
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    error = torch.where(same, 0.0, (ours - theirs).abs().nan_to_num(math.inf, math.inf))
    if moved is not None and moved.shape == ours.shape:
        error = (error - MULTIPLE * (moved - ours).abs()).clamp(min=0.0)
    if largest:
        return float(error.max()) / largest
    return math.inf if float(error.max()) > 0 else 0.0
