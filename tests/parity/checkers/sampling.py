"""Checkers: samplers of latents and labels, perturbation and interpolation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from mmcgan.analysis import ascending_labels, interpolate, label_blocks, perturb
from mmcgan.analysis.labels import COPIES
from mmcgan.random import make_generator
from mmcgan.samplers import ConstantLabel, NormalLatent, TruncatedNormalLatent, UniformLabel, UniformLatent
from mmcgan.samplers.latent import truncated_quantile
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import checker

DRAWS = 200_000
STATISTICAL = Tolerance(1e-2, 1e-2)
EXACT = Tolerance(1e-5, 1e-6)
LATENTS: dict[str, type[NormalLatent] | type[UniformLatent]] = {"gauss": NormalLatent, "unif": UniformLatent}
#: most classes that a case's labels are tried to be drawn from, where it does not say how many
MOST_CLASSES = 1000


@checker(("studiogan", "sampling"))
def check_sampling(case: GoldenCase, comparison: Comparison) -> None:
    """Draws from the case's seed: truncated normal, labels, latents beside labels; interpolation."""
    _compare_truncated(case, comparison)
    _compare_labels(case, comparison)
    for prior in LATENTS:
        if f"out/zy_{prior}/z" in case.tensors:
            _compare_latents(case, comparison, prior)
    if "in/interp_x0" in case.tensors:
        ends = [case.tensors[f"in/interp_x{index}"][:, 0] for index in (0, 1)]
        for name, expected in case.group("out/interpolate_mid").items():
            path = interpolate(ends[0], ends[1], int(name) + 2)
            comparison.equal(f"out/interpolate_mid{name}", path, expected, EXACT)


def _compare_truncated(case: GoldenCase, comparison: Comparison) -> None:
    """Compare draws from numpy's numbers, which the peer takes, and moments of our own."""
    for name, expected in case.group("out/truncnorm_").items():
        threshold, _, suffix = name.partition("_")
        if suffix == "moments":
            sampler = TruncatedNormalLatent(1, float(threshold))
            drawn = sampler.sample(DRAWS, make_generator("parity", name)).double()
            moments = torch.stack([drawn.mean(), drawn.std(), drawn.abs().max()])
            comparison.equal(f"out/truncnorm_{name}", moments, expected, STATISTICAL)
        elif not suffix:
            uniform = np.random.RandomState(int(case.spec["seed"])).uniform(size=tuple(expected.shape))
            ours = truncated_quantile(torch.from_numpy(uniform), float(threshold))
            comparison.equal(f"out/truncnorm_{name}", ours, expected, EXACT)


def _source(case: GoldenCase) -> Generator:
    return torch.Generator().manual_seed(int(case.spec["seed"]))


def _labels(case: GoldenCase, expected: Tensor) -> tuple[Tensor, Generator]:
    """Return labels of the smallest number of classes that gives ``expected``, and the source behind them.

    The case does not tell the number; without one that fits, the labels of the first tried are returned.
    """
    found: list[tuple[Tensor, Generator]] = []
    for classes in range(int(expected.max()) + 1, MOST_CLASSES):
        source = _source(case)
        label = UniformLabel(classes).sample(len(expected), source).label
        assert label is not None
        found.append((label, source))
        if torch.equal(label, expected):
            return found[-1]
    return found[0]


def _compare_labels(case: GoldenCase, comparison: Comparison) -> None:
    orders: dict[str, Callable[[Tensor], Tensor | None]] = {
        "random": lambda label: _labels(case, label)[0],
        "all": lambda label: ascending_labels(int(label.max()) + 1),
        "some": lambda label: label_blocks(label[::COPIES]),
        "int": lambda label: ConstantLabel(int(label[0])).sample(len(label), _source(case)).label,
    }
    for name, expected in case.group("out/sample_y_").items():
        if name not in orders:
            comparison.skip(f"order {name!r} of labels")
            continue
        ours = orders[name](expected)
        assert ours is not None
        comparison.equal(f"out/sample_y_{name}", ours, expected, EXACT)


def _compare_latents(case: GoldenCase, comparison: Comparison, prior: str) -> None:
    """Compare labels, the latents drawn after them, and these moved by fresh noise.

    The radius is not told: it is read off the first value.
    """
    start = f"out/zy_{prior}/"
    expected = case.tensors[f"{start}z"]
    label, source = _labels(case, case.tensors[f"{start}y"])
    latent = LATENTS[prior](expected.shape[1]).sample(len(expected), source)
    comparison.equal(f"{start}y", label, case.tensors[f"{start}y"], EXACT)
    comparison.equal(f"{start}z", latent, expected, EXACT)
    if f"{start}z_eps" in case.tensors:
        moved = perturb(latent, 1.0, source, uniform=prior == "unif")
        step = moved - latent
        radius = float((case.tensors[f"{start}z_eps"] - expected)[0, 0] / step[0, 0])
        comparison.equal(f"{start}z_eps", latent + radius * step, case.tensors[f"{start}z_eps"], EXACT)
