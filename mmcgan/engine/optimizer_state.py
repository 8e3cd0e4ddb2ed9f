"""Optimisers' moments under the names of their parameters, so that they find them again in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

State = dict[str, Any]


def names_of(optimizer: Optimizer, model: nn.Module) -> list[str]:
    """Return the parameters' names in the order in which the optimiser numbers them."""
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    return [known.get(id(p), "") for group in optimizer.param_groups for p in group["params"]]


def renumbered(
    saved: State, saved_names: Sequence[str], optimizer: Optimizer, names: Sequence[str], keep_settings: bool
) -> tuple[State, list[str]]:
    """Return a saved state as the optimiser numbers its parameters, and which of them start without moments.

    Args:
        saved: of the run so far.
        saved_names: its parameters' names by number.
        optimizer: newly built.
        names: its parameters' names by number.
        keep_settings: go on with the saved rates, betas, ...; otherwise with those that it was built with.
    """
    own = optimizer.state_dict()
    numbers = {name: number for number, name in enumerate(saved_names)}
    settings = {
        saved_names[number]: {key: value for key, value in group.items() if key != "params"}
        for group in saved["param_groups"]
        for number in group["params"]
        if number < len(saved_names)
    }
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    wanted = moments_of(optimizer)
    state, fresh = {}, []
    for number, (name, parameter) in enumerate(zip(names, parameters, strict=True)):
        found = saved["state"].get(numbers.get(name))
        if found is not None and _fits(found, parameter) and (wanted is None or set(found) == wanted):
            state[number] = found
        else:
            fresh.append(name)
    groups = []
    for group in own["param_groups"]:
        first = names[group["params"][0]]
        kept = settings.get(first, {}) if keep_settings else {}
        groups.append({**group, **kept})
    rest = {key: value for key, value in saved.items() if key not in ("state", "param_groups")}
    return {**rest, "state": state, "param_groups": groups}, fresh


def _fits(moments: Mapping[str, Any], parameter: Tensor) -> bool:
    return all(
        value.shape == parameter.shape
        for value in moments.values()
        if isinstance(value, Tensor) and value.dim() > 0
    )


def moments_of(optimizer: Optimizer) -> set[str] | None:
    """Return the names of what the optimiser keeps for a parameter, found by a trial step; None if unknown.

    Adam and AdamW keep the same; SGD with momentum keeps something else.
    """
    trial = nn.Parameter(torch.zeros(1))
    trial.grad = torch.zeros(1)
    settings = dict(optimizer.defaults)
    try:
        copy = type(optimizer)([trial], **settings)
        copy.step()
    except Exception:  # a plugin's optimiser may need more than a parameter
        return None
    return set(copy.state[trial])
