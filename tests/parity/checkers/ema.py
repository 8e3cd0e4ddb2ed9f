"""Checkers: moving averages of BigGAN-PyTorch, StudioGAN and MMagic."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.models.ema import ExponentialMovingAverage
from tests.parity.cases import GoldenCase, State
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-5, 1e-6)
BUFFER_NAMES = ("running_", "stored_", "num_batches", "weight_u", "weight_v", "count", "u0", "sv0", "steps")


class StateModule(nn.Module):
    """A module whose parameters and buffers are those of a flat state dict, told apart by name."""

    def __init__(self, state: Mapping[str, Tensor], buffers: Collection[str] = ()) -> None:
        super().__init__()
        self.own_buffers = frozenset(buffers)
        for name, value in state.items():
            last = name.rsplit(".", 1)[-1]
            if name in self.own_buffers or last.startswith(BUFFER_NAMES) or not value.is_floating_point():
                self.register_buffer(_flat(name), value.clone())
            else:
                self.register_parameter(_flat(name), nn.Parameter(value.clone()))

    def state(self) -> State:
        """Return the state under the names it was built from."""
        return {name.replace("/", "."): value for name, value in self.state_dict().items()}


def _flat(name: str) -> str:
    return name.replace(".", "/")  # torch allows no dot in a parameter's name


def compare_updates(
    comparison: Comparison,
    average: ExponentialMovingAverage,
    target: nn.Module,
    sources: Sequence[State],
    expected: Sequence[State],
    iterations: Sequence[int],
    batch_size: int | None = None,
    name: str = "",
) -> None:
    """Update ``target`` with each of ``sources`` in turn and compare it after every update."""
    assert isinstance(target, StateModule)
    for source, wanted, iteration in zip(sources, expected, iterations, strict=True):
        average.update(StateModule(source, target.own_buffers), target, iteration, batch_size)
        comparison.equal_all(f"{name}update {iteration} ", target.state(), wanted, EXACT)


def _sequence(case: GoldenCase, pattern: str, count: int) -> list[State]:
    return [case.group(pattern.format(index)) for index in range(count)]


def _count(case: GoldenCase, pattern: str) -> int:
    count = 0
    while case.group(pattern.format(count)):
        count += 1
    return count


@checker(("biggan_pytorch", "ema"))
def check_biggan_ema(case: GoldenCase, comparison: Comparison) -> None:
    """Everything is averaged, integers are truncated, iteration 0 or None averages before the start."""
    spec = case.spec
    iterations = [0 if str(i) == "None" else int(i) for i in spec["itr_of_each_update"]]
    average = ExponentialMovingAverage(
        float(spec["decay"]), start=int(spec["start_itr"]), integers="average", average_at_zero=True
    )
    count = len(iterations)
    sources, expected = _sequence(case, "in/source_{}/", count), _sequence(case, "out/target_{}/", count)
    target = StateModule(case.group("out/init/"))
    compare_updates(comparison, average, target, sources, expected, iterations)


@checker(("studiogan", "ema"))
def check_studiogan_ema(case: GoldenCase, comparison: Comparison) -> None:
    """The plain rule with a start, and StyleGAN2's half life with ramp-up."""
    for name, settings in case.spec["settings"].items():
        batch_size = None
        if "decay" in settings:
            average = ExponentialMovingAverage(float(settings["decay"]), start=int(settings["start_iter"]))
        else:
            batch_size = int(settings["effective_batch_size"])
            average = ExponentialMovingAverage(
                half_life_images=1000.0 * settings["ema_kimg"], ramp_up=ramp_up(settings), buffers="copy"
            )
        count = _count(case, f"in/{name}/{{}}/")
        sources = _sequence(case, f"in/{name}/{{}}/", count)
        expected = _sequence(case, f"out/{name}/{{}}/", count)
        target = StateModule(sources[0], followers(sources, expected) if batch_size else ())
        compare_updates(comparison, average, target, sources, expected, range(count), batch_size, f"{name} ")


def ramp_up(settings: Mapping[str, Any]) -> float | None:
    """Return the ramp-up, which the peer's configs may leave out or write as N/A."""
    given = settings.get("ema_rampup")
    return None if given in (None, "N/A") else float(given)


def followers(sources: Sequence[State], expected: Sequence[State]) -> set[str]:
    """Return what follows its source at every update: buffers, whatever a peer calls them (``w_avg``)."""
    pairs = list(zip(sources, expected, strict=True))
    return {name for name in sources[0] if all(torch.equal(a[name], b[name]) for a, b in pairs)}


@checker(("mmagic", "ema"))
def check_mmagic_ema(case: GoldenCase, comparison: Comparison) -> None:
    """Averages whose first update copies; ``momentum`` is 1 - decay."""
    for name, settings in case.spec["constructor"].items():
        batch_size = settings.get("batch_size")
        average = _mmagic_average(settings)
        count = _count(case, f"in/{name}/step{{}}/")
        sources = _sequence(case, f"in/{name}/step{{}}/", count)
        expected = _sequence(case, f"out/{name}/step{{}}/module.", count)
        # The ramp counts the update under way, so that its first update is number 1.
        first = int("ema_kimg" in settings)
        iterations = range(first, first + count)
        target = StateModule(sources[0])
        compare_updates(comparison, average, target, sources, expected, iterations, batch_size, f"{name} ")


def _mmagic_average(settings: Mapping[str, float]) -> ExponentialMovingAverage:
    buffers = "average" if settings.get("update_buffers") else "copy"
    integers = "keep" if settings.get("update_buffers") else "copy"
    interval = int(settings.get("interval", 1))
    if "ema_kimg" in settings:
        if interval != 1:
            raise Unsupported(f"MMagic's ramp-up average with interval {interval}")
        return ExponentialMovingAverage(
            half_life_images=1000.0 * settings["ema_kimg"],
            ramp_up=settings["ema_rampup"],
            buffers=buffers,
            integers=integers,
            start=2,
        )
    decay = 1.0 - settings.get("momentum", 0.0002)
    return ExponentialMovingAverage(decay, start=1, interval=interval, buffers=buffers, integers=integers)
