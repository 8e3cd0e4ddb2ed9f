"""Whether a config draws latents from the law that a checkpoint was trained with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmcgan.checkpoints.literals import assignments
from mmcgan.plain_values import plain
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.default_law import latent_law
from mmcgan.samplers.scaled import unscaled


def law_of_run(meta: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the latent law that a run's checkpoint says in its config, None if that cannot be read."""
    try:
        model = assignments(meta["cfg"])["model"]
        law = model.get("latent_sampler") or latent_law(None)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return law if isinstance(law, Mapping) else None


def require_law(stated: Mapping[str, Any] | None, here: Mapping[str, Any] | None, source: str) -> None:
    """Refuse to sample weights from another law than they were trained with.

    Args:
        stated: config of the law beside the weights; None or empty if nothing is said.
        here: ``model.latent_sampler`` of the config.
        source: of the weights, for messages.

    Raises:
        ValueError: the laws are not the same; names both.
    """
    if not stated:
        return
    theirs, ours = (_whole(law) for law in (stated, latent_law(here)))
    # a config that scales that very law says so in as many words
    if theirs not in (ours, _whole(unscaled(here))):
        raise ValueError(
            f"{source} was trained with the latents {dict(stated)}, the config's model.latent_sampler is "
            f"{latent_law(here)}: images of another law would be judged; set it as it was"
        )


def law_beside(stated: Mapping[str, Any] | None, here: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the law that exported weights are sampled from with a config: its own, as they scale it.

    Args:
        stated, here: as in :func:`require_law`, which refuses what is another law altogether.
    """
    ours = latent_law(here)
    scales_ours = stated and _whole(unscaled(stated)) == _whole(ours)
    return dict(stated) if stated and scales_ours else ours


def _whole(law: Mapping[str, Any]) -> dict[str, Any]:
    """Return the law's config with the defaults of its class, but for the length of the latents."""
    kind = SAMPLERS.get(str(law.get("type")))
    known = inspect.signature(kind).parameters if kind is not None else {}
    defaults = {
        name: parameter.default
        for name, parameter in known.items()
        if parameter.default is not inspect.Parameter.empty
    }
    whole = {**defaults, **law, "type": str(law.get("type")).rpartition(".")[2]}
    return {key: plain(value) for key, value in whole.items() if key != "latent_dim"}
