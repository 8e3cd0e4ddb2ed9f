"""The judge: rounding is excused where it is rounding, and a wrong formula is not."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.parity import Comparison, GoldenCase, Tolerance
from tests.parity import runner as runner_module
from tests.parity.cases import Reading, load_case
from tests.parity.runner import check_file
from tests.parity.truth import Judge, arithmetic

TOLERANCE = Tolerance(1e-4, 1e-5)


def judged(single, double, recorded, moved=()):
    """Return the verdict on one quantity; ``moved`` are its values after moves of the inputs."""
    runs = []
    for value in (single, double, *moved):
        runs.append(Comparison(TOLERANCE))
        runs[-1].equal("x", torch.as_tensor(value), torch.as_tensor(recorded))
    judge = Judge(runs[0], runs[1], lambda number: runs[2 + number], probes=len(moved))
    return judge.verdicts()[0]


@pytest.mark.parametrize(
    ("single", "double", "recorded", "moved", "passes"),
    [
        ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], (), True),
        # a recorded number off by as much as our own float32 is: rounding
        ([1.004, 2.0], [1.0, 2.0], [0.998, 2.0], (), True),
        # off, and nothing of ours moves: a wrong formula, in the record or here
        ([1.0, 2.0], [1.0, 2.0], [0.998, 2.0], ([1.0, 2.0],), False),
        # a kink: a move of the inputs lands on the other branch, where the record is
        ([1.0, 2.0], [1.0, 2.0], [0.9, 2.0], ([0.9, 2.0],), True),
        # the kink of one entry excuses no other
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.9, 2.02, 3.0], ([0.9, 2.0, 3.0],), False),
        # our float32 is wrong, the record and our float64 agree
        ([1.1, 2.0], [1.0, 2.0], [1.0, 2.0], ([1.0, 2.0],), False),
        ([float("nan"), 2.0], [1.0, 2.0], [1.0, 2.0], ([1.0, 2.0],), False),
        ([1.0, 2.0], [float("nan"), 2.0], [1.0, 2.0], ([1.0, 2.0],), False),
        ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0, 3.0], (), False),
    ],
)
def test_rounding_is_excused_and_nothing_else(single, double, recorded, moved, passes):
    assert judged(single, double, recorded, moved).ok is passes


@pytest.fixture
def product_case(tmp_path, monkeypatch):
    """A case of a peer whose network multiplies, recorded in float32 and in float64."""

    def write(wrong=0.0, suffix="64"):
        source = torch.Generator().manual_seed(0)
        weight, given = (torch.randn(5, 5, generator=source) for _ in range(2))
        exact = weight.double() @ given.double() * (1 + wrong)
        tensors = {"state/w": weight, "in/x": given, "out/y": (weight @ given), f"out{suffix}/y": exact}
        save_file(tensors, tmp_path / "case.safetensors")
        (tmp_path / "case.json").write_text(json.dumps({"peer": "omnigan-test", "kind": "product"}))
        return tmp_path / "case"

    def check(case: GoldenCase, comparison: Comparison) -> None:
        weight, given = case.state()["w"], case.tensors["in/x"]
        comparison.equal("out/y", weight @ given, case.tensors["out/y"])

    monkeypatch.setitem(runner_module.CHECKERS, ("omnigan-test", "product"), check)
    return write


def test_what_was_recorded_in_float64_is_judged_tightly(product_case):
    record = check_file(product_case())
    assert (record.status, record.compared) == ("pass", 2)
    record = check_file(product_case(wrong=1e-7))
    assert record.status == "fail"
    assert "out/y (1e-07)" in record.reason


def test_both_precisions_are_read_and_never_mixed(product_case):
    stem = product_case()
    stored = load_file(stem.with_suffix(".safetensors"))
    with arithmetic(torch.float64):
        exact, plain = load_case(stem, Reading(exact=True)), load_case(stem)
    single = load_case(stem)
    # the stored numbers themselves, in wider formats: equal to the last bit
    assert torch.equal(exact.tensors["out/y"], stored["out64/y"])
    assert torch.equal(plain.tensors["out/y"], stored["out/y"].double())
    assert single.tensors["out/y"].dtype == torch.float32
    assert all(set(case.tensors) == {"state/w", "in/x", "out/y"} for case in (exact, plain, single))


def test_draws_are_those_of_float32():
    drawn = {}
    for dtype in (torch.float32, torch.float64):
        with arithmetic(dtype):
            torch.manual_seed(3)
            drawn[dtype] = [torch.randn(4), torch.rand_like(torch.zeros(4)), torch.empty(4).normal_()]
    for single, double in zip(*drawn.values(), strict=True):
        assert double.dtype == torch.float64
        assert torch.equal(single.double(), double)  # the same draws, widened without loss


def test_whole_numbers_do_not_move(product_case):
    moved = Reading(shake=1e-3, seed=1)
    labels = torch.tensor([0.0, 1.0, 3.0, 0.5])
    after = moved.moved("in/y", labels)
    assert torch.equal(after[:3], labels[:3])  # labels kept as they are
    assert after[3] != labels[3]
    assert abs(after[3] / labels[3] - 1) <= 1e-3
