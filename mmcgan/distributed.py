"""What several processes must agree on: start, gradients, buffers and the rows of a draw.

Every rank runs the same code on its own rows; how gradients meet is a setting
(:mod:`mmcgan.optim.exchange`). All functions are no-ops in a single process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
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


def check_timeout(value: Any) -> float:
    """Return ``env_cfg.dist_cfg.timeout`` in seconds.

    Raises:
        ValueError: it is no positive, finite number.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise ValueError(f"env_cfg.dist_cfg.timeout must be a positive number of seconds, got {value!r}")
    return float(value)


def initialize_process_group(timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> bool:
    """Join the process group announced by the launcher's environment, if there is one.

    Tensors on CUDA devices meet through nccl, those of the host through gloo, so that a vote of the
    ranks does not wait for the device. Where a machine has more ranks than devices, which nccl refuses,
    all meet through gloo. Must run before anything asks for a rank; MMEngine's own
    initialisation insists on CUDA.

    Args:
        timeout_seconds: how long a rank may keep the others waiting, here and in every exchange after.

    Returns:
        Whether this call created the group (the caller then destroys it at exit).

    Raises:
        ValueError: the environment announces more than one process but lacks a variable, or the
            timeout is not positive.
        ConnectionError: the port is in use, or a rank did not come; says which.
    """
    timeout = timedelta(seconds=check_timeout(timeout_seconds))
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
        devices, local = torch.cuda.device_count(), int(os.environ.get("LOCAL_RANK", "0"))
        torch.cuda.set_device(local % devices)
        if int(os.environ.get("LOCAL_WORLD_SIZE", "1")) <= devices:
            backend = "cpu:gloo,cuda:nccl"
    store, rank, ranks = _meet(timeout)
    torch_dist.init_process_group(backend, store=store, rank=rank, world_size=ranks, timeout=timeout)
    return True


def _meet(timeout: timedelta) -> tuple[Any, int, int]:
    """Return the store that all ranks share, once every rank has been seen there, the rank and the ranks."""
    from torch.distributed.rendezvous import rendezvous  # not there where torch has no distributed part

    place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    seconds = f"{timeout.total_seconds():g} s"
    try:
        store, rank, ranks = next(rendezvous("env://", timeout=timeout))
    except torch_dist.DistNetworkError as error:
        if "EADDRINUSE" in str(error) or "already in use" in str(error):
            raise ConnectionError(
                f"port {os.environ['MASTER_PORT']} of this machine is in use: another job runs here, or an "
                "old one has not ended; choose another with PORT=... (MASTER_PORT)"
            ) from error
        raise ConnectionError(f"nobody answered at {place} within {seconds}; is rank 0 running?") from error
    except torch_dist.DistStoreError as error:
        raise ConnectionError(
            f"not all {os.environ['WORLD_SIZE']} ranks came to {place} within {seconds}; {_last_line(error)}"
        ) from error
    store.set(f"mmcgan/here/{rank}", "1")
    keys = [f"mmcgan/here/{other}" for other in range(ranks)]
    try:
        store.wait(keys, timeout)
    except torch_dist.DistStoreError as error:
        away = [str(other) for other, key in enumerate(keys) if not store.check([key])]
        raise ConnectionError(
            f"rank {', '.join(away)} of {ranks} did not come to {place} within {seconds} "
            "(env_cfg.dist_cfg.timeout); look at that process's own output"
        ) from error
    return store, rank, ranks


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]


def require_equal(settings: Mapping[str, Any], what: str) -> None:
    """Make sure that all ranks have the same ``settings``; all ranks must call it.

    Raises:
        ValueError: they differ; names the first settings and what each rank has. Raised on every rank.
    """
    if not is_initialized():
        return
    own = {key: repr(value) for key, value in settings.items()}
    digest = hashlib.sha256(repr(sorted(own.items())).encode()).hexdigest()
    digests: list[str] = [""] * world_size()
    torch_dist.all_gather_object(digests, digest)
    if len(set(digests)) == 1:
        return
    everybody: list[dict[str, str]] = [{}] * world_size()
    torch_dist.all_gather_object(everybody, own)
    keys = dict.fromkeys(key for each in everybody for key in each)
    lines = [
        f"{key} is {_by_rank([each.get(key, 'not set') for each in everybody])}"
        for key in keys
        if len({each.get(key) for each in everybody}) > 1
    ]
    more = f", and {len(lines) - 3} more" if len(lines) > 3 else ""
    raise ValueError(f"{what} differs between ranks: {'; '.join(lines[:3])}{more}")


def _by_rank(values: list[str]) -> str:
    groups: dict[str, list[str]] = {}
    for rank, value in enumerate(values):
        groups.setdefault(value, []).append(str(rank))
    return ", ".join(f"{value} on rank {', '.join(ranks[:5])}" for value, ranks in groups.items())


def destroy_process_group() -> None:
    """Leave the process group; without it some gloo runs abort at interpreter exit."""
    if is_initialized():
        with suppress(RuntimeError):
            torch_dist.destroy_process_group()


def world_size() -> int:
    """Return the number of ranks; 1 without a process group."""
    return int(get_dist_info()[1])


def local_part(tensor: Tensor) -> Tensor:
    """Return what this rank holds of a tensor that may be cut into slices over ranks."""
    held: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return held


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
        if local_part(tensor) is not tensor:
            continue  # slices differ, as they should
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


def any_rank(flag: bool) -> bool:
    """Return whether ``flag`` is true on at least one rank."""
    if not is_initialized():
        return flag
    on_host = "cpu:" in torch_dist.get_backend_config()
    device = torch.device("cpu") if on_host else torch.device("cuda", torch.cuda.current_device())
    vote = torch.tensor(int(flag), device=device)
    torch_dist.all_reduce(vote, op=torch_dist.ReduceOp.MAX)
    return bool(vote.item())
