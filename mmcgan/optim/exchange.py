"""How the ranks' gradients become their mean: the setting ``distributed`` of a config.

One exchange serves a run. It hands every optimiser a :class:`Share`, which stands around the forward
and backward passes of that optimiser's mini-batches. ``docs/scale.md`` says which one to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mmcgan.distributed import average_gradients, is_initialized
from mmcgan.registry import GRADIENT_EXCHANGES

Terms = dict[str, Tensor]
Compute = Callable[[], Terms]


class Share:
    """What one optimiser's update is wrapped in; this one belongs to a single process and does nothing."""

    @contextmanager
    def mini_batch(self, last: bool) -> Iterator[Callable[[Compute], Terms]]:
        """Surround the forward and backward pass of one mini-batch.

        Args:
            last: whether this is the update's last mini-batch; gradients need not agree before it.

        Yields:
            What calls the function that computes the loss terms.
        """
        yield _call


def _call(compute: Compute) -> Terms:
    return compute()


class GradientExchange:
    """Base of all exchanges; itself good for a single process.

    A subclass overrides :meth:`share` and, if the networks must change, :meth:`prepare`.
    """

    def prepare(self, model: nn.Module) -> None:
        """Change ``model`` in place before its optimisers are built; all ranks have equal weights."""

    def share(self, parameters: Sequence[nn.Parameter]) -> Share:
        """Return what surrounds the updates of the optimiser of ``parameters``."""
        return Share()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Make every parameter available on this rank, for evaluation and pictures."""
        yield

    def gathered(self, state: Any) -> Any:
        """Return ``state`` (nested dicts and lists) with whole tensors; all ranks must call it."""
        return state

    def cut(self, state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
        """Return whole weights by name as ``model`` can load them."""
        return state

    def cut_like(self, value: Any, parameter: Any) -> Any:
        """Return a whole moment as the optimiser of ``parameter`` can use it."""
        return value


@GRADIENT_EXCHANGES.register_module()
class FlatExchange(GradientExchange):
    """One message per update with all gradients, after the backward pass."""

    def share(self, parameters: Sequence[nn.Parameter]) -> Share:
        """Return what averages the gradients of ``parameters`` after the last mini-batch."""
        return _FlatShare(parameters) if is_initialized() else Share()


class _FlatShare(Share):
    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = list(parameters)

    @contextmanager
    def mini_batch(self, last: bool) -> Iterator[Callable[[Compute], Terms]]:
        """Average after the last backward pass."""
        yield _call
        if last:
            average_gradients(self.parameters)


@GRADIENT_EXCHANGES.register_module()
class OverlappedExchange(GradientExchange):
    """Messages of some megabytes that travel while the backward pass goes on: torch's own reducer.

    ``DistributedDataParallel`` wraps no network here but the whole computation of an update's terms,
    and knows the parameters of one optimiser. To it an update is one forward and one backward pass,
    however many passes through the two networks, gradients of gradients or skipped heads there are
    within, and the opponent's parameters are none of its business. Parameters that no rank used keep
    no gradient. The model itself stays bare: no ``module.`` prefix, all attributes in reach.

    Args:
        bucket_megabytes: size of a message, in units of 2**20 bytes; the first is smaller
            (torch: at most 1). Small ones start earlier, large ones use a fast network better.

    Raises:
        ValueError: ``bucket_megabytes`` is not positive.
    """

    def __init__(self, bucket_megabytes: float = 25.0) -> None:
        if not bucket_megabytes > 0:
            raise ValueError(
                f"OverlappedExchange: bucket_megabytes must be positive, got {bucket_megabytes!r}"
            )
        self.bucket_megabytes = bucket_megabytes

    def share(self, parameters: Sequence[nn.Parameter]) -> Share:
        """Return what exchanges the gradients of ``parameters`` during the last backward pass."""
        return _OverlappedShare(parameters, self.bucket_megabytes) if is_initialized() else Share()


class _Update(nn.Module):
    """The parameters of one optimiser, and a forward pass that is whatever it is handed."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        super().__init__()
        self.held = nn.ParameterList(parameters)

    def forward(self, compute: Compute) -> Terms:
        """Return what ``compute`` returns."""
        return compute()


class _OverlappedShare(Share):
    def __init__(self, parameters: Sequence[nn.Parameter], bucket_megabytes: float) -> None:
        # Without a rebuilding of buckets (which find_unused_parameters rules out) messages are a function of
        # the model alone, so that a resumed run adds in the same order as one that never stopped.
        self.reducer = DistributedDataParallel(
            _Update(parameters),
            broadcast_buffers=False,
            find_unused_parameters=True,
            gradient_as_bucket_view=True,
            bucket_cap_mb=cast(int, bucket_megabytes),  # torch takes fractions, too
        )

    @contextmanager
    def mini_batch(self, last: bool) -> Iterator[Callable[[Compute], Terms]]:
        """Exchange in the last backward pass; the earlier ones add up at home."""
        if last:
            yield self.reducer
            return
        with self.reducer.no_sync():
            yield self.reducer
