"""Which precision is taken where, by injected measurements: the processor of the test does not matter."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as torch_dist

from mmcgan import precision
from mmcgan.precision import (
    Choice,
    autocast,
    bfloat16_is_fast,
    check_network_precision,
    choose,
    decide_on_cpu,
    decide_on_cuda,
    recorded_or_faster,
    resolve,
)

ROOT = Path(__file__).resolve().parent.parent
FAST, SLOW = Choice("bfloat16", 2.0, "measured"), Choice("float32", 0.1, "measured")


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes this process believe in a kind of machine."""

    def become(choice):
        monkeypatch.setattr(precision, "measure", lambda kind: choice)

    return become


@pytest.mark.parametrize(
    ("units", "float32", "bfloat16", "chosen", "reason"),
    [
        (True, 2.0, 1.0, "bfloat16", "2.0 times as fast in bfloat16"),
        (True, 1.05, 1.0, "float32", "gains nothing on this processor"),
        (True, 1.0, 4.0, "float32", "4.0 times as long in bfloat16"),  # emulated although announced
        (False, 2.0, 1.0, "float32", "oneDNN has no bfloat16 on this processor"),
        (False, 1.0, 9.3, "float32", "9.3 times as long in bfloat16"),
    ],
)
def test_a_cpu_needs_units_and_a_measured_gain(units, float32, bfloat16, chosen, reason):
    found = decide_on_cpu(units, float32, bfloat16)
    assert found.precision == chosen
    assert found.ratio == float32 / bfloat16
    assert reason in str(found)


def test_other_devices_are_asked_what_they_multiply():
    assert decide_on_cuda(True).precision == "bfloat16"
    assert decide_on_cuda(False).precision == "float32"
    assert choose("meta").precision == "float32"


def test_measured_once_a_process_from_both_answers(monkeypatch):
    calls = []

    def seconds():
        calls.append(1)
        return 3.0, 1.0

    monkeypatch.setattr(precision, "has_bfloat16_units", lambda: True)
    monkeypatch.setattr(precision, "convolution_seconds", seconds)
    precision.measure.cache_clear()
    try:
        assert choose("cpu") == choose(torch.device("cpu")) == decide_on_cpu(True, 3.0, 1.0)
        assert bfloat16_is_fast()
        assert len(calls) == 1
    finally:
        precision.measure.cache_clear()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_measurement_leaves_no_trace(mode):
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with mode(), torch.autocast("cpu", torch.bfloat16):
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        float32, bfloat16 = precision.convolution_seconds()
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
        assert torch.is_autocast_enabled("cpu")
    assert 0 < float32 < 1
    assert 0 < bfloat16 < 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_number_of_threads_survives_a_failure(monkeypatch):
    def fail():
        raise RuntimeError("no memory")

    monkeypatch.setattr(precision, "_time_in_turns", fail)
    threads = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="no memory"):
        precision.convolution_seconds()
    assert torch.get_num_threads() == threads


def test_auto_is_resolved_and_the_rest_is_the_users(machine):
    for choice in (FAST, SLOW):
        machine(choice)
        assert resolve("auto", "cpu") == choice.precision
        assert [resolve(name, "cpu") for name in precision.PRECISIONS] == list(precision.PRECISIONS)
    with pytest.raises(ValueError, match="must be one of auto, float32, bfloat16, float16, got 'half'"):
        resolve("half", "cpu")
    with pytest.raises(ValueError, match="must be one of auto, float32, bfloat16, got 'float16'"):
        check_network_precision("float16")


def test_autocast_computes_in_what_was_chosen(machine):
    for choice, dtype in ((FAST, torch.bfloat16), (SLOW, torch.float32)):
        machine(choice)
        with autocast("auto", "cpu"):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_a_recorded_bfloat16_is_left_where_it_is_emulated(machine):
    machine(FAST)
    assert [recorded_or_faster(name, "cpu") for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]
    machine(SLOW)
    assert [recorded_or_faster(name, "cpu") for name in ("float32", "bfloat16")] == ["float32", "float32"]


def test_all_ranks_take_the_choice_of_the_first_that_asks(machine):
    store = torch_dist.HashStore()
    torch_dist.init_process_group("gloo", store=store, rank=0, world_size=1, timeout=timedelta(seconds=20))
    try:
        machine(FAST)
        first = choose("cpu")
        machine(SLOW)  # another rank, on another machine
        assert choose("cpu") == first == FAST
    finally:
        torch_dist.destroy_process_group()
    assert choose("cpu") == SLOW


def test_nobody_else_asks_the_processor_or_names_a_precision_for_autocast():
    found = []
    for path in sorted([*(ROOT / "mmcgan").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if name == "mmcgan/precision.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr.endswith("_supported") and "is_" in node.attr:
                found.append(f"{name}:{node.lineno}: {node.attr}")
            if isinstance(node, ast.Attribute) and node.attr == "bfloat16" and _in_autocast(path, node):
                found.append(f"{name}:{node.lineno}: a precision of its own")
    assert found == []


def _in_autocast(path, node):
    return "autocast(" in path.read_text().splitlines()[node.lineno - 1]


def test_every_config_leaves_bfloat16_to_the_measurement():
    naming = [path for path in (ROOT / "configs").rglob("*.py") if "bfloat16" in path.read_text()]
    assert naming == []
    schedules = (ROOT / "configs" / "_base_" / "schedules").glob("*.py")
    assert any('precision="auto"' in path.read_text() for path in schedules)
