"""The moving average against the peers' own numbers and its policies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from mmcgan.models.ema import ExponentialMovingAverage

GOLDEN = Path(os.environ.get("MMCGAN_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not found (set MMCGAN_GOLDEN)")


class Bag(nn.Module):
    """A module that holds given tensors: statistics and vectors as buffers, others as weights."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name, value in tensors.items():
            flat = name.replace(".", "__")
            state = ("mean", "var", "count", "batches", "_u", "_v", "u0")
            if name.endswith(state) or "num_batches" in name:
                self.register_buffer(flat, value.clone())
            else:
                self.register_parameter(flat, nn.Parameter(value.clone()))


def read(case: str, prefix: str) -> dict[str, torch.Tensor]:
    tensors = load_file(GOLDEN / case)
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


def assert_same(target: Bag, expected: dict[str, torch.Tensor], rtol: float = 1e-6) -> None:
    got = target.state_dict()
    for name, value in expected.items():
        torch.testing.assert_close(got[name.replace(".", "__")], value, rtol=rtol, atol=1e-7, msg=name)


@needs_golden
def test_biggan_rule():
    case = "biggan_pytorch/biggan_pytorch__ema.safetensors"
    ema = ExponentialMovingAverage(0.9, start=5, integers="average", average_at_zero=True)
    target = Bag(read(case, "out/init/"))
    for update, iteration in enumerate([0, 1, 4, 5, 6, 0]):
        ema.update(Bag(read(case, f"in/source_{update}/")), target, iteration)
        assert_same(target, read(case, f"out/target_{update}/"))


@needs_golden
@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("ema", dict(decay=0.9, start=2)),
        ("ema_stylegan2", dict(half_life_images=50, ramp_up=0.05, buffers="copy")),
    ],
)
def test_studiogan_rules(case, settings):
    file = "studiogan/studiogan__ema.safetensors"
    ema = ExponentialMovingAverage(**settings)
    target = Bag(read(file, f"in/{case}/0/"))
    for iteration in range(5):
        ema.update(Bag(read(file, f"in/{case}/{iteration}/")), target, iteration, batch_size=8)
        assert_same(target, read(file, f"out/{case}/{iteration}/"), rtol=1e-5)


@needs_golden
@pytest.mark.parametrize(
    ("case", "settings", "offset"),
    [
        ("ema", dict(decay=0.9, start=1, interval=2, buffers="copy"), 0),
        ("ema_buf", dict(decay=0.9, start=1, integers="keep"), 0),
        ("rampup", dict(half_life_images=1000, ramp_up=0.05, start=2, buffers="copy"), 1),
    ],
)
def test_mmagic_rules(case, settings, offset):
    file = "mmagic/mmagic__ema.safetensors"
    ema = ExponentialMovingAverage(**settings)
    target = Bag(read(file, f"in/{case}/step0/"))
    for step in range(5):
        ema.update(Bag(read(file, f"in/{case}/step{step}/")), target, step + offset, batch_size=32)
        assert_same(target, read(file, f"out/{case}/step{step}/module."), rtol=1e-5)


def norm_pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    source, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    source(torch.randn(8, 2))
    nn.init.constant_(source.weight, 3.0)
    return source, target


def test_policies_for_buffers():
    source, target = norm_pair()
    ExponentialMovingAverage(0.75).update(source, target, 1)
    assert torch.allclose(target.running_mean, 0.25 * source.running_mean)
    assert torch.allclose(target.weight, torch.tensor([1.5, 1.5]))
    assert target.num_batches_tracked == 1
    source, target = norm_pair()
    ExponentialMovingAverage(0.75, buffers="copy").update(source, target, 1)
    assert torch.equal(target.running_mean, source.running_mean)


def test_before_start_it_copies():
    source, target = norm_pair()
    ExponentialMovingAverage(0.999, start=10).update(source, target, 9)
    assert torch.equal(target.weight, source.weight)
    ExponentialMovingAverage(0.999, start=10).update(norm_pair()[1], target, 10)
    assert not torch.equal(target.weight, torch.ones(2))


def test_half_life_halves_after_that_many_images():
    ema = ExponentialMovingAverage(half_life_images=640)
    assert ema.decay_at(100, batch_size=64) ** 10 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(decay=1.1), "decay must be in"),
        (dict(start=-1), "start >= 0"),
        (dict(ramp_up=0.05), "needs half_life_images"),
        (dict(buffers="none"), "buffers must be one of"),
        (dict(integers="round"), "integers must be one of"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ExponentialMovingAverage(**settings)


def test_different_architectures_are_named():
    with pytest.raises(ValueError, match="different tensors: bias"):
        ExponentialMovingAverage().update(nn.Linear(2, 2), nn.Linear(2, 2, bias=False), 1)
