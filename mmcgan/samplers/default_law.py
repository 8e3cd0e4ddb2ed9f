"""The law of latents where a config names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def latent_law(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the config of a law of latents: a copy of ``given``, or standard normal ones if it is empty.

    Args:
        given: of a latent sampler; without ``type`` it sets something of the default.
    """
    return {"type": "NormalLatent", **(given or {})}


def law_text(law: Mapping[str, Any]) -> str:
    """Return a law's config as ``Name(setting=value)``, without brackets if nothing is set."""
    settings = {key: value for key, value in law.items() if key not in ("type", "latent_dim")}
    parts = (
        f"{key}={law_text(value) if isinstance(value, Mapping) and 'type' in value else repr(value)}"
        for key, value in settings.items()
    )
    name = str(law["type"]).rpartition(".")[2]
    return f"{name}({', '.join(parts)})" if settings else name
