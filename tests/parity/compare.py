"""How our numbers are held against a peer's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tolerance:
    """Two numbers agree if ``|ours - theirs| <= atol + rtol * |theirs|``.

    Attributes:
        rtol, atol: as above.
        whole: size of what the quantity is a part of (the largest gradient norm of a network): rounding in
            float64 is relative to it where the quantity itself is tiny or zero.
    """

    rtol: float = 1e-4
    atol: float = 2e-5
    whole: float = 0.0


GRADIENT_NORM = Tolerance(3e-3, 1e-6)


@dataclass(frozen=True)
class Measurement:
    """One compared quantity.

    Attributes:
        name: what was compared.
        tolerance: that of the case or of the checker.
        ours, theirs: float64, of one shape unless the comparison failed by it; None where we have no value.
        share: the share of the entries that must agree, the closest ones.
        alike: what rounding does to one entry it may do to any: directions of steps along gradients of zero.
    """

    name: str
    tolerance: Tolerance
    ours: Tensor | None
    theirs: Tensor | None
    share: float = 1.0
    alike: bool = False

    @property
    def error(self) -> float:
        """The largest relative error, see :func:`relative_error`; infinite without a value."""
        if self.ours is None or self.theirs is None:
            return math.inf
        return relative_error(self.ours, self.theirs, self.tolerance, self.share)

    def errors(self, value: Tensor, origin: Tensor) -> Tensor | None:
        """Return |value - origin| entry by entry, in units of this quantity; None for other shapes."""
        if self.theirs is None or not value.shape == origin.shape == self.theirs.shape:
            return None
        return relative_errors(value, origin, self.theirs, self.tolerance)

    @property
    def rtol(self) -> float:
        """The relative tolerance that applies to :attr:`error`."""
        return self.tolerance.rtol

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance (a NaN is not)."""
        return self.error <= self.rtol


def relative_error(ours: Tensor, theirs: Tensor, tolerance: Tolerance, share: float = 1.0) -> float:
    """Return ``max |ours - theirs| / (|theirs| + atol / rtol)``, which is <= rtol exactly on agreement.

    NaN agrees with NaN and an infinity with itself; other shapes give infinity. Of the entries a share
    counts, the closest ones.
    """
    if ours.shape != theirs.shape:
        return math.inf
    ours, theirs = ours.detach().double(), theirs.detach().double()
    errors = relative_errors(ours, theirs, theirs, tolerance).flatten()
    if share < 1:
        errors = errors.sort().values[: int(share * len(errors))]
    return float(errors.max()) if errors.numel() else 0.0


def relative_errors(value: Tensor, origin: Tensor, size: Tensor, tolerance: Tolerance) -> Tensor:
    """Return ``|value - origin| / (|size| + atol / rtol)`` by entry; 0 for NaN and NaN, infinite for one."""
    same = (value == origin) | (value.isnan() & origin.isnan())
    errors = (value - origin).abs() / (size.abs() + tolerance.atol / tolerance.rtol)
    return torch.where(same, 0.0, errors.nan_to_num(math.inf, math.inf))


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
        self,
        name: str,
        ours: Tensor | float,
        theirs: Tensor | float,
        tolerance: Tolerance | None = None,
        *,
        share: float = 1.0,
        alike: bool = False,
    ) -> None:
        """Compare one quantity; a peer's (N, 1) column equals our (N,) vector."""
        ours, theirs = _kept(ours), _kept(theirs)
        if ours.shape != theirs.shape and ours.numel() == theirs.numel():
            ours, theirs = _squeezed(ours), _squeezed(theirs)
        self.measured.append(Measurement(name, tolerance or self.tolerance, ours, theirs, share, alike))

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
        self.measured.append(Measurement(name, self.tolerance, None, None))

    def skip(self, part: str) -> None:
        """Record a part of the case that mmcgan does not implement."""
        self.missing.append(part)

    @property
    def failures(self) -> list[Measurement]:
        """Measurements outside their tolerance, worst first, in units of it."""
        return sorted((m for m in self.measured if not m.ok), key=lambda m: -m.error / m.rtol)


def _kept(value: Tensor | float) -> Tensor:
    """Return a float64 copy: what was compared may change later, as buffers do."""
    if isinstance(value, Tensor):
        return value.detach().to(torch.float64, copy=True)
    return torch.as_tensor(value, dtype=torch.float64)


def _squeezed(value: Tensor) -> Tensor:
    return value.reshape([size for size in value.shape if size != 1])
