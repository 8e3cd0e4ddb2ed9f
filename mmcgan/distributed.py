"""What several processes must agree on: start, gradients, buffers and the rows of a draw.

There is no ``DistributedDataParallel`` wrapper. Every rank runs the same code on its own
rows, gradients are averaged once per optimiser step in flat buckets, and attributes of the
model stay reachable. All functions are no-ops in a single process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as torch_dist
from mmengine.dist import get_dist_info
from torch import Tensor, nn

Rows = TypeVar("Rows")

# A dead rank must not hold the others for longer than this in a collective.
DEFAULT_TIMEOUT_SECONDS = 600


def is_initialized() -> bool:
    """Return whether this process belongs to an initialised process group."""
    return torch_dist.is_available() and torch_dist.is_initialized()


def initialize_process_group(timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> bool:
    """Join the process group announced by the launcher's environment, if there is one.

    Uses nccl where CUDA is available and gloo elsewhere. Must run before anything asks for a
    rank; MMEngine's own initialisation insists on CUDA.

    Returns:
        Whether this call created the group (the caller then destroys it at exit).

    Raises:
        ValueError: the environment announces more than one process but lacks a variable.
    """
    if is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return False
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise ValueError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']} asks for several processes but "
            f"{', '.join(missing)} is not set; start with tools/dist_train.sh or torchrun"
        )
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "nccl"
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    torch_dist.init_process_group(backend, timeout=timedelta(seconds=timeout_seconds))
    return True


def destroy_process_group() -> None:
    """Leave the process group; without it some gloo runs abort at interpreter exit."""
    if is_initialized():
        with suppress(RuntimeError):
            torch_dist.destroy_process_group()


def own_rows(drawn: Rows) -> Rows:
    """Return this rank's rows of something drawn for the global batch.

    Rows are interleaved (``rank::world_size``) like the positions of the data sampler, so
    that row i of a single process with the global batch meets the same real image.

    Args:
        drawn: a tensor or :class:`~mmcgan.structures.Condition` with rows for all ranks.
    """
    rank, world_size = get_dist_info()
    return drawn if world_size == 1 else drawn[rank::world_size]  # type: ignore[index]


def draw_shared(draw: Callable[[int], Rows], count: int) -> Rows:
    """Draw for the global batch from a stream equal on all ranks and keep the own rows.

    Args:
        draw: takes a number of rows, returns that many.
        count: rows wanted on this rank.
    """
    return own_rows(draw(count * get_dist_info()[1]))


class _GatherRows(torch.autograd.Function):
    """Rows of all ranks, in order of rank."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        """Return (world_size * N, ...)."""
        ctx.size = len(rows)
        gathered = [torch.empty_like(rows) for _ in range(torch_dist.get_world_size())]
        torch_dist.all_gather(gathered, rows.contiguous())
        return torch.cat(gathered)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the own rows of the gradient, times the number of ranks."""
        rank, world_size = get_dist_info()
        return world_size * gradients[0][rank * ctx.size : (rank + 1) * ctx.size]


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows (N, ...) of all ranks, (world_size * N, ...), differentiable.

    For scalars that every rank computes alike from the gathered rows: the gradients that the
    ranks then average are those of that scalar. All ranks must bring the same number of rows.
    """
    return _GatherRows.apply(rows) if is_initialized() else rows


def _average(tensors: list[Tensor]) -> None:
    """Replace each tensor by its mean over ranks, with one all_reduce per type and device."""
    world_size = get_dist_info()[1]
    buckets: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
    for tensor in tensors:
        buckets.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for bucket in buckets.values():
        flat = torch.cat([tensor.flatten() for tensor in bucket])
        torch_dist.all_reduce(flat)
        flat /= world_size
        parts = flat.split([tensor.numel() for tensor in bucket])
        for tensor, part in zip(bucket, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Average the gradients over ranks; parameters without a gradient are left alone.

    All ranks must have gradients for the same parameters, which holds because they run the
    same step.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if is_initialized() and gradients:
        _average(gradients)


@torch.no_grad()
def average_buffers(module: nn.Module) -> None:
    """Average the floating-point buffers (batch-norm statistics, power-iteration vectors)."""
    buffers = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
    if is_initialized() and buffers:
        _average(buffers)


@torch.no_grad()
def broadcast_module(module: nn.Module) -> None:
    """Give every rank the parameters and buffers of rank 0."""
    if not is_initialized():
        return
    for tensor in [*module.parameters(), *module.buffers()]:
        # a non-contiguous (channels-last) tensor cannot be sent in place
        message = tensor.detach().contiguous()
        torch_dist.broadcast(message, src=0)
        tensor.copy_(message)


def first_answer(question: str, answer: str) -> str:
    """Return the answer of the rank that came first with ``question``; the own one without ranks.

    Ranks may ask at different times, or not at all: nobody waits for anybody.
    """
    if not is_initialized():
        return answer
    store = torch_dist.distributed_c10d._get_default_store()
    # an empty string stands for no answer yet
    return store.compare_set(f"mmcgan/{question}", "", answer).decode()


def any_rank(flag: bool, device: torch.device | str = "cpu") -> bool:
    """Return whether ``flag`` is true on at least one rank."""
    if not is_initialized():
        return flag
    if torch_dist.get_backend() == "nccl":
        device = torch.device("cuda", torch.cuda.current_device())
    vote = torch.tensor(int(flag), device=device)
    torch_dist.all_reduce(vote, op=torch_dist.ReduceOp.MAX)
    return bool(vote.item())
