"""Weights of a run whose parts are to be others from here on."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmcgan.models.sampling import SamplingModel

AVERAGE, AVERAGED = "generator_ema.", "generator."
SHOWN = 5


def fit_parts(weights: dict[str, Any], model: nn.Module) -> list[str]:
    """Bring weights to the parts that a model has: new parts start as they are built, others are dropped.

    A new average starts as the network that it averages. Tensors of another shape are left as they are:
    loading them is an error that says so.

    Args:
        weights: of the run so far; changed in place.
        model: newly built of the changed config.

    Returns:
        Notes for the log.
    """
    own = model.state_dict()
    gone = [name for name in weights if name not in own]
    new = [name for name in own if name not in weights]
    copied = [name for name in new if name.startswith(AVERAGE) and _averaged(name) in weights]
    for name in gone:
        del weights[name]
    for name in new:
        value = weights[_averaged(name)] if name in copied else own[name]
        weights[name] = value.clone() if isinstance(value, Tensor) else value
    fresh = [name for name in new if name not in copied]
    told = {
        f"{len(gone)} tensors of the checkpoint belong to no part any more": gone,
        f"{len(fresh)} tensors are new and start as they are built": fresh,
        f"{len(copied)} tensors of the new average start as the generator's": copied,
    }
    return [f"{text}: {_some(names)}" for text, names in told.items() if names]


def reseed(model: nn.Module, seed: int) -> None:
    """Let a model that draws by a seed draw by another one."""
    if isinstance(model, SamplingModel):
        model.use_seed(seed)


def _averaged(name: str) -> str:
    return AVERAGED + name.removeprefix(AVERAGE)


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
