"""Which checker a golden case gets, and what it said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor

from mmcgan.peers import UnsupportedSetting
from tests.parity.cases import CorruptCase, GoldenCase, Reading, find_cases, is_recorded, load_case
from tests.parity.compare import Comparison
from tests.parity.kinds import kind_of
from tests.parity.truth import (
    PROBES,
    SHAKE,
    SHAKE_64,
    TIGHT,
    Judge,
    Verdict,
    arithmetic,
    keyed,
    tight_verdicts,
)

Checker = Callable[[GoldenCase, Comparison], None]
CHECKERS: dict[tuple[str, str], Checker] = {}

CHECKER_MODULES = (
    "networks",
    "published_biggan",
    "any_resolution",
    "spectral_norm",
    "adversarial_losses",
    "augmentation",
    "studiogan_losses",
    "omni_loss",
    "ema",
    "regularizers",
    "latent_steps",
    "metrics",
    "preprocessing",
    "standing_statistics",
    "optimizers",
    "sampling",
    "analysis",
    "training_steps",
    "mmagic_steps",
    "stylegan2_loss",
    "icgan_steps",
    "instances",
    "restoration",
    "restoration_runs",
    "semantic_synthesis",
    "semantic_steps",
    "r3gan",
    "r3gan_steps",
    "projected_gan",
    "projected_gan_scales",
    "projected_gan_discriminator",
    "projected_gan_steps",
)


class Unsupported(Exception):
    """The case has a setting, or is of a kind, that mmcgan does not implement; says which."""


@dataclass(frozen=True)
class Record:
    """What came of one case.

    Attributes:
        case: its name in the table.
        peer: canonical name of the peer.
        kind: canonical kind, see :mod:`tests.parity.kinds`.
        status: "pass", "fail" or "unsupported".
        error: relative error of the quantity furthest outside its tolerance, or None.
        tolerance: the relative tolerance of that quantity.
        reason: why it failed or is unsupported; empty for a pass.
        compared: how many quantities were compared.
    """

    case: str
    peer: str
    kind: str
    status: str
    error: float | None = None
    tolerance: float | None = None
    reason: str = ""
    compared: int = 0


def checker(*pairs: tuple[str, str]) -> Callable[[Checker], Checker]:
    """Register a function as the checker of these (peer, kind) pairs."""

    def register(function: Checker) -> Checker:
        for pair in pairs:
            CHECKERS[pair] = function
        return function

    return register


def load_checkers() -> None:
    """Import every module of checkers, once."""
    for module in CHECKER_MODULES:
        import_module(f"tests.parity.checkers.{module}")


def check_file(stem: Path, probes: int = PROBES) -> Record:
    """Check the case whose files are ``stem`` + .json and .safetensors; never raises.

    The checker runs in float32 and in float64, see :mod:`tests.parity.truth`. A case that cannot be read,
    or whose check breaks, fails with the reason.

    Args:
        stem: as above.
        probes: how often weights and inputs are moved where numbers differ by more than the tolerance.
    """
    try:
        case = load_case(stem)
    except CorruptCase as error:
        return Record(stem.name, "unknown", "unknown", "fail", reason=str(error))
    try:
        kind = kind_of(case)
    except Exception as error:
        return Record(case.name, case.peer, "unknown", "fail", reason=_one_line(error))
    load_checkers()
    function = CHECKERS.get((case.peer, kind))
    if function is None:
        reason = f"no checker for kind {kind!r} of peer {case.peer!r}"
        return Record(case.name, case.peer, kind, "unsupported", reason=reason)
    return _Check(stem, case, kind, function, probes).record()


@dataclass
class _Check:
    """One case and its checker."""

    stem: Path
    case: GoldenCase
    kind: str
    function: Checker
    probes: int

    def record(self) -> Record:
        """Return what came of it; never raises."""
        single = Comparison(self.case.tolerance)
        try:
            self._run(torch.float32, Reading(), single)
            return self._of(self._verdicts(single), single.missing)
        except (Unsupported, UnsupportedSetting) as error:
            # What was compared before counts: a disagreement is not hidden by a missing part.
            verdicts = [Verdict(m.name, m.error, m.rtol) for m in single.measured]
            if any(not verdict.ok for verdict in verdicts):
                return self._of(verdicts, single.missing)
            return Record(self.case.name, self.case.peer, self.kind, "unsupported", reason=_one_line(error))
        except Exception as error:
            return Record(self.case.name, self.case.peer, self.kind, "fail", reason=_one_line(error))

    def _run(self, dtype: torch.dtype, reading: Reading, comparison: Comparison | None = None) -> Comparison:
        comparison = comparison or Comparison(self.case.tolerance)
        with arithmetic(dtype):
            self.function(load_case(self.stem, reading), comparison)
        return comparison

    def _verdicts(self, single: Comparison) -> list[Verdict]:
        double = self._run(torch.float64, Reading())

        def probe(number: int) -> Comparison:
            return self._run(torch.float64, Reading(shake=SHAKE, seed=number))

        verdicts = Judge(single, double, probe, self.probes).verdicts()
        if self.case.recorded_exactly:
            verdicts += self._tight_verdicts(double)
        return verdicts

    def _tight_verdicts(self, double: Comparison) -> list[Verdict]:
        """Return verdicts on what was recorded in float64: all of it, or what it changed of the record."""
        exact = self._run(torch.float64, Reading(exact=True))
        recorded = {k for k, v in self.case.tensors.items() if is_recorded(k) and v.is_floating_point()}
        whole = recorded <= self.case.recorded_exactly
        before = keyed(double.measured)
        changed = {
            m.name
            for key, m in keyed(exact.measured).items()
            if key not in before or not _same(m.theirs, before[key].theirs)
        }
        return tight_verdicts(
            exact,
            lambda seed: self._run(torch.float64, Reading(exact=True, shake=SHAKE_64, seed=seed)),
            lambda measurement: whole or measurement.name in changed,
            max(TIGHT, self.case.rounding_of_float64),
        )

    def _of(self, verdicts: list[Verdict], missing: list[str]) -> Record:
        worst = max(verdicts, key=lambda verdict: verdict.excess, default=None)
        case, kind = self.case, self.kind
        if worst is None and not missing:
            return Record(case.name, case.peer, kind, "fail", reason="the case holds nothing to compare")
        failures = sorted((v for v in verdicts if not v.ok), key=lambda verdict: -verdict.excess)
        status, reason = "pass", ""
        if failures:
            names = ", ".join(f"{v.name} ({v.error:.2g})" for v in failures[:3])
            status, reason = "fail", f"{len(failures)} of {len(verdicts)} quantities differ: {names}"
        elif missing:
            status, reason = "unsupported", f"not implemented: {', '.join(missing)}; the rest agrees"
        error, limit = (worst.error, worst.limit) if worst else (None, None)
        return Record(case.name, case.peer, kind, status, error, limit, reason, len(verdicts))


def _same(first: Tensor | None, second: Tensor | None) -> bool:
    if first is None or second is None:
        return first is second
    return torch.equal(first, second)  # the very numbers of two records, nothing computed


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (
        text
        if isinstance(error, Unsupported | UnsupportedSetting | CorruptCase)
        else f"{type(error).__name__}: {text}"
    )


def check_directory(directory: str | Path) -> Iterator[Record]:
    """Check every golden case found under ``directory``, in order of path.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    for stem in find_cases(directory):
        yield check_file(stem)
