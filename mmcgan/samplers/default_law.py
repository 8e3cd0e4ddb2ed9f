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
