import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from scipy import stats

from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS
from mmcgan.samplers import BalancedLabel, ConstantLabel, EmpiricalLabel, TemperatureLabel, UniformLabel
from tests.test_samplers.draws import check_depends_on_the_generator_only

COUNTS = (600, 300, 100, 0)
DRAWS = 20_000


def draw(sampler, name="test", n=DRAWS):
    label = sampler.sample(n, make_generator(0, name)).label
    assert label.dtype == torch.int64
    assert label.shape == (n,)
    return label


def p_value(label, probabilities):
    observed = torch.bincount(label, minlength=len(probabilities)).double()
    expected = torch.tensor(probabilities, dtype=torch.float64) * len(label)
    assert (observed[expected == 0] == 0).all()
    kept = expected > 0
    return stats.chisquare(observed[kept].numpy(), expected[kept].numpy()).pvalue


@pytest.mark.parametrize(
    ("sampler", "probabilities"),
    [
        (UniformLabel(4), (0.25, 0.25, 0.25, 0.25)),
        (EmpiricalLabel(COUNTS), (0.6, 0.3, 0.1, 0.0)),
        (TemperatureLabel(COUNTS, 1.0), (0.6, 0.3, 0.1, 0.0)),
        # T = 2 takes square roots, T = 0.5 squares
        (TemperatureLabel((900, 100), 2.0), (0.75, 0.25)),
        (TemperatureLabel((30, 10), 0.5), (0.9, 0.1)),
        (TemperatureLabel(COUNTS, 1e6), (1 / 3, 1 / 3, 1 / 3, 0.0)),
    ],
    ids=["uniform", "empirical", "T=1", "T=2", "T=0.5", "T=inf"],
)
def test_labels_follow_their_law(sampler, probabilities):
    assert p_value(draw(sampler), probabilities) > 1e-3


def test_temperature_law_equals_the_recorded_one_of_ic_gan():
    default = Path(__file__).parents[3] / "shared" / "golden"
    path = Path(os.environ.get("MMCGAN_GOLDEN", default)) / "ic_gan" / "ic_gan__longtail.safetensors"
    if not path.is_file():
        pytest.skip("golden data not found; set MMCGAN_GOLDEN")
    tensors = load_file(path)
    for temperature in json.loads(path.with_suffix(".json").read_text())["temperatures"]:
        sampler = TemperatureLabel(tensors["in/samples_per_class"], float(temperature))
        expected = tensors[f"out/class_prob_temperature_{temperature}"]
        torch.testing.assert_close(sampler.probabilities, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("n", [1, 9, 10, 37, 64])
def test_balanced_batches_are_as_even_as_possible(n):
    counts = torch.bincount(draw(BalancedLabel(10), n=n), minlength=10)
    assert counts.max() - counts.min() <= 1


def test_balanced_leftover_and_order_are_random():
    generator = make_generator(0, "balanced")
    batches = torch.stack([BalancedLabel(5).sample(7, generator).label for _ in range(4000)])
    # every class gets a second and a third image equally often, at every place of the batch
    for column in batches.T:
        assert p_value(column, (0.2,) * 5) > 1e-4


def test_constant_label():
    assert draw(ConstantLabel(3), n=4).tolist() == [3, 3, 3, 3]
    assert draw(ConstantLabel(), n=2).tolist() == [0, 0]


@pytest.mark.parametrize(
    "config",
    [
        dict(type="UniformLabel", num_classes=5),
        dict(type="BalancedLabel", num_classes=5),
        dict(type="EmpiricalLabel", class_counts=[1, 2, 3]),
        dict(type="TemperatureLabel", class_counts=[1, 2, 3], temperature=2.0),
    ],
    ids=lambda config: config["type"],
)
def test_a_draw_depends_on_the_generator_only(config):
    sampler = SAMPLERS.build(config)
    check_depends_on_the_generator_only(draw, sampler)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UniformLabel(0), "num_classes must be at least 1.*got 0.*ConstantLabel"),
        (lambda: BalancedLabel(-1), "num_classes must be at least 1"),
        (lambda: EmpiricalLabel([]), "class_counts must list one number per class"),
        (lambda: EmpiricalLabel([3, -1]), "class 1 has -1.0"),
        (lambda: EmpiricalLabel([0, 0]), "class_counts are all 0"),
        (lambda: TemperatureLabel([1, 2], 0.0), "temperature must be greater than 0 and finite, got 0.0"),
        (lambda: TemperatureLabel([1, 2], float("inf")), "temperature must be .* finite, got inf"),
        (lambda: ConstantLabel(-1), "label must be in 0 or more, got -1"),
        (lambda: ConstantLabel(10, num_classes=10), r"label must be in 0\.\.9, got 10"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
