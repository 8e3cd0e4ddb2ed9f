"""One wait for the device an iteration: everything that is asked of it travels together."""

import traceback

import pytest
import torch

from mmcgan.engine import GANRunner
from mmcgan.engine.device import set_tensor_float32
from mmcgan.engine.loop import GANTrainLoop
from mmcgan.engine.transfer import to_numbers
from mmcgan.structures import Condition

from .tiny_run import tiny_config

# Numbers of the host: the optimisers' counters of steps, and labels before they go to the device.
HOST = ("torch/optim/", "mmcgan/models/conditioning.py")


def test_numbers_come_in_order_and_exactly():
    wide = torch.tensor(1 / 3, dtype=torch.float64)
    figures = {"a": torch.tensor(0.1), "b": 2.5, "c": wide, "d": torch.tensor([7])}
    numbers = to_numbers(figures)
    assert list(numbers) == ["a", "b", "c", "d"]
    assert numbers == {"a": torch.tensor(0.1).item(), "b": 2.5, "c": 1 / 3, "d": 7}
    with pytest.raises(ValueError, match=r"loss must be a scalar, got a tensor of shape \(2,\)"):
        to_numbers({"loss": torch.ones(2)})


def test_an_iteration_asks_the_device_once(tmp_path, monkeypatch):
    """No ``item()``, ``float()``, ``bool()`` or ``tolist()`` beside the one copy."""
    asked = []

    def counted(name):
        original = getattr(torch.Tensor, name)

        def ask(self, *arguments, **options):
            places = [frame.filename for frame in traceback.extract_stack()[-4:-1]]
            if not any(host in place for place in places for host in HOST):
                asked.append((name, places))
            return original(self, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, ask)

    counts = []
    step = GANTrainLoop.run_iter

    def run_iter(self, batch):
        asked.clear()
        step(self, batch)
        counts.append([(name, place[-1].rpartition("/")[2]) for name, place in asked])

    changes = {
        "model.losses.lecam": dict(type="LeCamLoss"),
        "model.augment": dict(type="ADA"),
        "model.regularizers": dict(r1=dict(type="R1"), gp=dict(type="GradientPenalty")),
        "optim_wrapper.generator.clip_grad": dict(max_norm=1.0),
        "train_cfg.max_iters": 2,
    }
    runner = GANRunner.from_cfg(tiny_config(tmp_path, **changes))
    for name in ("item", "tolist", "__bool__", "__float__", "__int__", "cpu", "numpy"):
        counted(name)
    monkeypatch.setattr(GANTrainLoop, "run_iter", run_iter)
    runner.train()
    for count in counts:
        # the iteration number that losses are told is a tensor of the host
        assert [c for c in count if c[0] != "__int__"] == [("tolist", "transfer.py")]


def test_a_condition_goes_to_the_device_without_waiting_and_to_the_host_with(monkeypatch):
    sent = []

    def to(self, device, non_blocking=False):
        sent.append((str(device), non_blocking))
        return self

    monkeypatch.setattr(torch.Tensor, "to", to)
    Condition(label=torch.tensor([1])).to("cuda").to("cpu")
    assert sent == [("cuda", True), ("cpu", False)]


def test_tensor_float32_is_what_the_config_says():
    backends = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    try:
        for allowed in (True, False):
            set_tensor_float32(allowed)
            set_tensor_float32(None)
            assert [backend.allow_tf32 for backend in backends] == [allowed, allowed]
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed
    with pytest.raises(ValueError, match=r"env_cfg.tf32 must be True, False or None, got 1"):
        set_tensor_float32(1)
