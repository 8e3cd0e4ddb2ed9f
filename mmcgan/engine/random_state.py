"""The random generators of a run: saved, restored, and shielded from side work.

mmcgan draws from its own streams (:mod:`mmcgan.random`), but a plugin, a transform or torch
itself may use the global ones, and a resumed run must find them where it left them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import numpy as np
import torch
import torch.distributed as torch_dist
from torch import nn

from mmcgan.distributed import is_initialized
from mmcgan.random import RandomStreams

State = dict[str, Any]


def random_state() -> State:
    """Return the state of the Python, NumPy, torch and CUDA generators as plain data."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = cast("tuple[Any, ...]", np.random.get_state(legacy=True))
    return {
        "python": (version, list(internal), gauss),
        "numpy": (
            name,
            torch.from_numpy(keys.astype(np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: State) -> None:
    """Restore :func:`random_state`; CUDA states are used if the number of devices agrees."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([device_state.cpu() for device_state in state["cuda"]])


def gather_random_states() -> list[State]:
    """Return the random state of every rank; all ranks must call it."""
    if not is_initialized():
        return [random_state()]
    states: list[State] = [{} for _ in range(torch_dist.get_world_size())]
    torch_dist.all_gather_object(states, random_state())
    return states


@contextmanager
def preserved_random_state(model: nn.Module | None = None) -> Iterator[None]:
    """Put the generators back where they were, so that side work does not move training.

    Args:
        model: side work with a model in training may draw from the model's own streams too, as a generator
            with noise inside does; they are put back as the global ones are.
    """
    state = random_state()
    with ExitStack() as streams:
        for module in () if model is None else model.modules():
            if isinstance(module, RandomStreams):
                streams.enter_context(module.aside())
        try:
            yield
        finally:
            set_random_state(state)
