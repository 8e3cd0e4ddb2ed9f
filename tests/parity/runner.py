"""Which checker a golden case gets, and what it said."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from mmcgan.peers.formats import UnsupportedSetting
from tests.parity.cases import CorruptCase, GoldenCase, find_cases, load_case
from tests.parity.compare import Comparison
from tests.parity.kinds import kind_of

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


def check_file(stem: Path) -> Record:
    """Check the case whose files are ``stem`` + .json and .safetensors; never raises.

    A case that cannot be read, or whose check breaks, fails with the reason.
    """
    try:
        case = load_case(stem)
    except CorruptCase as error:
        return Record(stem.name, "unknown", "unknown", "fail", reason=str(error))
    try:
        kind = kind_of(case)
    except Exception as error:
        return Record(case.name, case.peer, "unknown", "fail", reason=_one_line(error))
    return _check(case, kind)


def _check(case: GoldenCase, kind: str) -> Record:
    load_checkers()
    function = CHECKERS.get((case.peer, kind))
    if function is None:
        reason = f"no checker for kind {kind!r} of peer {case.peer!r}"
        return Record(case.name, case.peer, kind, "unsupported", reason=reason)
    comparison = Comparison(case.tolerance)
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            function(case, comparison)
    except (Unsupported, UnsupportedSetting) as error:
        # What was compared before counts: a disagreement is not hidden by a missing part.
        if not comparison.failures:
            return Record(case.name, case.peer, kind, "unsupported", reason=_one_line(error))
    except Exception as error:
        return Record(case.name, case.peer, kind, "fail", reason=_one_line(error))
    return _record(case, kind, comparison)


def _record(case: GoldenCase, kind: str, comparison: Comparison) -> Record:
    worst = comparison.worst
    if worst is None and not comparison.missing:
        return Record(case.name, case.peer, kind, "fail", reason="the case holds nothing to compare")
    status, reason = "pass", ""
    if comparison.failures:
        names = ", ".join(f"{m.name} ({m.error:.2g})" for m in comparison.failures[:3])
        status = "fail"
        reason = f"{len(comparison.failures)} of {len(comparison.measured)} quantities differ: {names}"
    elif comparison.missing:
        status = "unsupported"
        reason = f"not implemented: {', '.join(comparison.missing)}; the rest agrees"
    error, tolerance = (worst.error, worst.rtol) if worst else (None, None)
    return Record(case.name, case.peer, kind, status, error, tolerance, reason, len(comparison.measured))


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
