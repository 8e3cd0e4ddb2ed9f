"""Whatever decides by numbers decides against NaN, wherever it stands: max(0.0, nan) is 0.0."""

import math
from itertools import permutations
from statistics import median
from types import SimpleNamespace

import pytest
import torch

from mmcgan.apis import onnx_export
from mmcgan.claims.figure import Logged
from mmcgan.differences import largest, largest_difference
from mmcgan.evaluation.evaluator import GenerationEvaluator
from mmcgan.evaluation.metrics.base import GenerationMetric
from mmcgan.evaluation.statistics.frechet import feature_frechet_distance, frechet_distance
from mmcgan.hooks.checkpoint import GANCheckpointHook
from mmcgan.hooks.collapse_guard_signs import Limits, find_signs, fresh_state, remember
from mmcgan.hooks.early_stop import EarlyStopHook
from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import GENERATION_METRICS
from tests.parity.compare import Tolerance, relative_error
from tests.test_evaluation import stand_ins  # noqa: F401 registers the extractor

NAN, INF = math.nan, math.inf
SERIES = [list(order) for order in sorted(set(permutations([3.0, 1.0, NAN], 3)), key=str)]


@pytest.mark.parametrize("when", ["lowest", "highest", "last over lowest"])
@pytest.mark.parametrize("values", SERIES, ids=str)
def test_a_claim_is_not_decided_by_a_series_with_a_nan(when, values):
    assert math.isnan(Logged("fid", when).of(dict(enumerate(values))))


@pytest.mark.parametrize("values", SERIES, ids=str)
def test_differences(values):
    assert not largest(values) <= 1e9
    assert not largest_difference(torch.tensor(values), torch.ones(3)) <= 1e9
    assert not relative_error(torch.tensor(values), torch.ones(3), Tolerance(1.0, 1.0)) <= 1e9


@pytest.mark.parametrize("rule", ["less", "greater"])
@pytest.mark.parametrize("wrong", [NAN, INF, -INF])
def test_what_is_no_number_is_never_the_best(rule, wrong):
    monitor = Monitor("fid", rule)
    assert not monitor.is_better(wrong, None) and not monitor.is_better(wrong, 1.0)
    assert monitor.is_better(1.0, wrong)  # what was stored by an older version


def kept(values, **options):
    """Return the best value that a run's checkpoint hook remembers after evaluations."""
    hook, info = GANCheckpointHook(save_best="fid", **options), {}
    hub = SimpleNamespace(runtime_info=info, update_info=info.__setitem__)
    for iteration, value in enumerate(values):
        hook.after_val_epoch(
            SimpleNamespace(is_training=True, message_hub=hub, iter=iteration), {"fid": value}
        )
    return info.get("best_metric", {}).get("fid")


@pytest.mark.parametrize("values", SERIES, ids=str)
def test_the_best_checkpoint(values):
    assert kept(values) == 1.0
    for count in (2, 3):
        every = [*values, 4.0, 2.0, 9.0, 0.0]
        windows = [every[i : i + count] for i in range(len(every) - count + 1)]
        medians = [median(window) for window in windows if not any(map(math.isnan, window))]
        assert kept(every, median_of=count) == min(medians)


@pytest.mark.parametrize("wrong", [NAN, INF])
def test_early_stop(wrong):
    hook, info = EarlyStopHook("fid", patience=3), {}
    hub = SimpleNamespace(runtime_info=info, update_info=info.__setitem__)
    loop = SimpleNamespace(stop_training=False)
    told = []
    runner = SimpleNamespace(
        is_training=True, message_hub=hub, iter=1, train_loop=loop, logger=SimpleNamespace(info=told.append)
    )
    hook.after_val_epoch(runner, {"fid": wrong})
    assert loop.stop_training and str(wrong) in told[0]


@pytest.mark.parametrize("names", list(permutations(["a", "b"])))
def test_the_guard_sees_heads_whose_logits_are_no_numbers(names):
    healthy, faulty = names
    figures = {f"{healthy}.separation": 0.7, f"{healthy}.logit_real": 1.0, f"{healthy}.logit_fake": 0.0}
    figures |= {f"{faulty}.{what}": NAN for what in ("separation", "logit_real", "logit_fake")}
    for order in (list(figures.items()), list(figures.items())[::-1]):
        found = find_signs(dict(order), fresh_state(), None, Limits())
        assert f"{faulty} logits are no numbers" in found["separation"]


def test_one_nan_does_not_blind_the_guard():
    state = fresh_state()
    for length in (NAN, 2.0, NAN, 3.0):
        state = remember(state, {"feature_norm_real": length}, None, None, 1)
    assert (state["smallest"], state["largest"]) == (2.0, 3.0)


@GENERATION_METRICS.register_module(force=True)
class Constant(GenerationMetric):
    """A stranger's metric."""

    figures = ("constant",)

    def __init__(self, value):
        self.value = value

    def reset(self):
        """Nothing is kept."""

    update = merge = lambda self, *batch: None

    def compute(self):
        return {"constant": self.value}


@pytest.mark.parametrize("wrong", [NAN, INF])
def test_a_figure_that_is_none_is_not_reported(wrong):
    metrics = [dict(type="Constant", value=wrong), dict(type="InceptionScore")]
    evaluator = GenerationEvaluator(metrics, dict(type="MeanColour"))
    images = torch.randint(0, 255, (8, 3, 4, 4), dtype=torch.uint8)
    evaluator.process([dict(image=images)])
    assert list(evaluator.evaluate(8)) == ["inception_score"]
    row = evaluator.report()["metrics"][0]
    assert row["figures"] == {} and f"constant is {wrong}, no finite number" in row["error"]


def test_a_distance_that_overflows_is_refused():
    large = 1e200 * torch.randn(20, 4, dtype=torch.float64)
    with pytest.raises(ValueError, match="no finite number"):
        feature_frechet_distance(large, -large)
    mean, covariance = large.mean(0), large.T @ large
    with pytest.raises(ValueError, match="finite"):
        frechet_distance(mean, covariance, -mean, covariance)


@pytest.mark.broad  # some ten seconds and more on an old processor
def test_an_exported_file_whose_images_are_nan_is_not_kept(monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnx_export, "_compare", lambda *parts: NAN)
    with pytest.raises(ValueError, match="differs from PyTorch by up to nan"):
        onnx_export.export_onnx("omnigan_biggan_digits-16", tmp_path / "digits.onnx")
    assert not list(tmp_path.iterdir())
