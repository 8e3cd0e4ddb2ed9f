"""How our numbers are held against a peer's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tolerance:
    """Two numbers agree if ``|ours - theirs| <= atol + rtol * |theirs|``."""

    rtol: float = 1e-4
    atol: float = 2e-5


GRADIENT_NORM = Tolerance(3e-3, 1e-6)


@dataclass(frozen=True)
class Measurement:
    """One compared quantity: its largest relative error and the tolerance that applied."""

    name: str
    error: float
    rtol: float

    @property
    def excess(self) -> float:
        """Error in units of the tolerance; above 1 is a failure."""
        return self.error / self.rtol

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance (a NaN is not)."""
        return self.error <= self.rtol


def relative_error(ours: Tensor, theirs: Tensor, tolerance: Tolerance) -> float:
    """Return ``max |ours - theirs| / (|theirs| + atol / rtol)``, which is <= rtol exactly on agreement.

    NaN agrees with NaN and an infinity with itself; other shapes give infinity.
    """
    if ours.shape != theirs.shape:
        return math.inf
    ours, theirs = ours.detach().double(), theirs.detach().double()
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    error = (ours - theirs).abs() / (theirs.abs() + tolerance.atol / tolerance.rtol)
    error = torch.where(same, 0.0, error.nan_to_num(math.inf, math.inf))
    return float(error.max()) if error.numel() else 0.0


@dataclass
class Comparison:
    """Collects what a checker compared and what it could not.

    Attributes:
        tolerance: used where a checker names no other.
        measured: everything compared.
        missing: parts of the case that mmcgan has no counterpart for, with the reason.
    """

    tolerance: Tolerance = field(default_factory=Tolerance)
    measured: list[Measurement] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def equal(
        self, name: str, ours: Tensor | float, theirs: Tensor | float, tolerance: Tolerance | None = None
    ) -> None:
        """Compare one quantity; a peer's (N, 1) column equals our (N,) vector."""
        tolerance = tolerance or self.tolerance
        ours, theirs = torch.as_tensor(ours), torch.as_tensor(theirs)
        if ours.shape != theirs.shape and ours.numel() == theirs.numel():
            ours, theirs = _squeezed(ours), _squeezed(theirs)
        self.measured.append(Measurement(name, relative_error(ours, theirs, tolerance), tolerance.rtol))

    def equal_all(
        self,
        prefix: str,
        ours: Mapping[str, Tensor],
        theirs: Mapping[str, Tensor],
        tolerance: Tolerance | None = None,
    ) -> None:
        """Compare every entry of ``theirs``; one that ``ours`` lacks is a failure."""
        for name, value in theirs.items():
            if name in ours:
                self.equal(f"{prefix}{name}", ours[name], value, tolerance)
            else:
                self.fail(f"{prefix}{name}")

    def fail(self, name: str) -> None:
        """Record that ``name`` has no value on our side although it should."""
        self.measured.append(Measurement(name, math.inf, self.tolerance.rtol))

    def skip(self, part: str) -> None:
        """Record a part of the case that mmcgan does not implement."""
        self.missing.append(part)

    @property
    def worst(self) -> Measurement | None:
        """The measurement with the largest error in units of its tolerance."""
        return max(self.measured, key=lambda m: m.excess, default=None)

    @property
    def failures(self) -> list[Measurement]:
        """Measurements outside their tolerance, worst first."""
        return sorted((m for m in self.measured if not m.ok), key=lambda m: -m.excess)


def _squeezed(value: Tensor) -> Tensor:
    return value.reshape([size for size in value.shape if size != 1])
