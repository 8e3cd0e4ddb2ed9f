"""Every claim by name: those of :mod:`mmcgan.claims.papers`, and what plugins add."""

from __future__ import annotations

import importlib
import pkgutil

from mmcgan.claims.claim import Claim
from mmcgan.plugins import load_plugins
from mmcgan.suggestions import nearest

_CLAIMS: dict[str, Claim] = {}


def register_claim(claim: Claim) -> Claim:
    """Add a claim and return it.

    Raises:
        ValueError: another claim has its name.
    """
    if _CLAIMS.setdefault(claim.name, claim) is not claim:
        raise ValueError(f"two claims are called {claim.name!r}")
    return claim


def all_claims() -> dict[str, Claim]:
    """Return the claims by name: ours in the order of the files, then those of plugins."""
    from mmcgan.claims import papers

    for module in sorted(pkgutil.iter_modules(papers.__path__), key=lambda found: found.name):
        importlib.import_module(f"{papers.__name__}.{module.name}")
    load_plugins()
    return dict(_CLAIMS)


def find_claims(names: list[str]) -> list[Claim]:
    """Return the claims of these names, all of them for none.

    Raises:
        ValueError: no claim of a name; suggests the nearest.
    """
    known = all_claims()
    for name in names:
        if name not in known:
            raise ValueError(f"no claim {name!r}.{nearest(name, list(known))}")
    return [known[name] for name in names] if names else list(known.values())
