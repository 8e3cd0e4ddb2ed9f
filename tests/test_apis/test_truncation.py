"""What truncation means, for every law of latents that is registered, and what no route takes for one."""

import inspect
import math
from pathlib import Path

import pytest
import torch
from scipy import stats

from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.interpolation import interpolate
from mmcgan.apis.onnx_export import export_onnx
from mmcgan.apis.sampling import sample
from mmcgan.datasets.conditions.base import ConditionDataset
from mmcgan.evaluation.report.sweep import Sweep
from mmcgan.hooks.sample_grid import SampleGridHook
from mmcgan.registry import SAMPLERS
from mmcgan.samplers import LatentSampler
from mmcgan.samplers.drawing import draw_latents

PAGE = Path(__file__).parents[2] / "docs" / "model_zoo_use.md"
WIDTH, NUMBERS = 24, range(500)
MODEL = "omnigan_biggan_digits-16"
LAWS = sorted(
    name
    for name, kind in SAMPLERS.named().items()
    if inspect.isclass(kind) and issubclass(kind, LatentSampler) and kind.__module__.startswith("mmcgan.")
)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("threshold", [0.3, 0.9, 1.5, 5.0])
def test_a_law_truncates_to_itself_within_the_threshold(name, threshold):
    """What is beyond is redrawn from the same law: values follow it, given that they are within."""
    law = SAMPLERS.build(dict(type=name, latent_dim=WIDTH))
    noise = WIDTH - law.code_dim
    whole = draw_latents(law, 3, NUMBERS)
    narrow = draw_latents(law, 3, NUMBERS, threshold)
    assert torch.equal(narrow[:, noise:], whole[:, noise:])  # codes are no noise
    inside = whole[:, :noise].abs() <= threshold
    assert torch.equal(narrow[:, :noise][inside], whole[:, :noise][inside])
    assert float(narrow[:, :noise].abs().max()) <= threshold
    other = draw_latents(law, 4, range(4000))[:, :noise].flatten()
    truth = other[other.abs() <= threshold]
    assert stats.ks_2samp(narrow[:, :noise].flatten().numpy(), truth.numpy()).pvalue > 1e-3
    if bool(inside.all()):
        assert torch.equal(narrow, whole)


def test_the_page_says_of_every_law_what_truncation_is():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in LAWS if f"`{name}`" not in page] == []


ROUTES = {
    "sample": lambda t, out: sample(MODEL, num=1, truncation=t, out=out / "samples"),
    "interpolate": lambda t, out: interpolate(MODEL, truncation=t, out=out / "way.png"),
    "inferencer": lambda t, out: CGANInferencer(MODEL)(num=1, truncation=t),
    "test": lambda t, out: Sweep(truncations=(None, t)),
    "evaluation": lambda t, out: ConditionDataset(size=2, latent_dim=4, truncation=t),
    "grid of training": lambda t, out: SampleGridHook(truncation=t),
    "onnx": lambda t, out: export_onnx(MODEL, out / "model.onnx", truncation=t),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan, -1.0])
def test_no_route_takes_what_is_no_amount(route, wrong, tmp_path):
    if route == "onnx":
        pytest.importorskip("onnxruntime")
    with pytest.raises(ValueError, match=f"truncation must be a finite number of at least 0, got {wrong}"):
        ROUTES[route](wrong, tmp_path)
    assert not list(tmp_path.iterdir())
