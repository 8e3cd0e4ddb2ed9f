"""Figures of other packages over the same features; a package that is not installed is skipped."""

import pytest
import torch

from mmcgan.evaluation import (
    feature_frechet_distance,
    improved_precision_recall,
    inception_score,
    kernel_distance,
    prdc,
)
from mmcgan.evaluation.metrics.similarity import ms_ssim, psnr, ssim

pytestmark = pytest.mark.slow
WIDTH = 256


def features(count, seed, shift=0.0):
    """Correlated, not negative, spread over several decades: like those of a network."""
    mix = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(7))
    mix = mix * torch.logspace(0, -3, WIDTH)
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 40, generator=generator) @ mix + shift
    return (points + 0.01 * torch.randn(count, WIDTH, generator=generator)).relu()


@pytest.fixture(scope="module")
def pair():
    return features(3000, 1), features(2500, 2, 0.2)


def package(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def test_prdc(pair):
    theirs = package("prdc").compute_prdc(*(value.numpy() for value in pair), nearest_k=5)
    assert prdc(*pair, 5) == {name: float(value) for name, value in theirs.items()}


def test_frechet_distance_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(value.double()) for value in pair]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert feature_frechet_distance(*pair) == pytest.approx(theirs, rel=1e-6)


def test_frechet_distance_of_clean_fid(pair):
    package("cleanfid")
    from cleanfid.fid import fid_from_feats

    theirs = fid_from_feats(*(value.double().numpy() for value in pair))
    assert feature_frechet_distance(*pair) == pytest.approx(theirs, rel=1e-6)


def test_frechet_distance_of_torchmetrics(pair):
    package("torchmetrics")
    from torchmetrics.image.fid import _compute_fid

    statistics = [part for x in pair for part in (x.double().mean(0), torch.cov(x.double().T))]
    assert feature_frechet_distance(*pair) == pytest.approx(float(_compute_fid(*statistics)), rel=1e-6)


def test_kernel_distance_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_kid import kernel_mmd

    settings = dict(kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None)
    subset = [value[:2000].double() for value in pair]
    theirs = kernel_mmd(*(value.numpy() for value in subset), **settings, kid_kernel_poly_coef0=1)
    assert kernel_distance(*subset) == pytest.approx(float(theirs), rel=1e-9)


def test_kernel_distance_of_torchmetrics(pair):
    package("torchmetrics")
    from torchmetrics.image.kid import poly_mmd

    subset = [value[:2000].double() for value in pair]
    assert kernel_distance(*subset) == pytest.approx(float(poly_mmd(*subset)), rel=1e-9)


def test_kernel_distance_of_clean_fid(pair):
    package("cleanfid")
    from cleanfid import fid

    subset = [value[:900].double() for value in pair]  # one subset of everything: no draw is left
    theirs = fid.kernel_distance(*(value.numpy() for value in subset), num_subsets=1)
    assert kernel_distance(*subset) == pytest.approx(theirs, rel=1e-9)


def test_improved_precision_and_recall_of_torch_fidelity(pair):
    package("torch_fidelity")
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    real, fake = pair
    theirs = calculate_precision_recall_full(fake.double(), real.double(), neighborhood=3)
    assert improved_precision_recall(real.double(), fake.double(), 3) == pytest.approx(theirs, abs=1e-3)


def test_inception_score_of_torch_fidelity():
    package("torch_fidelity")
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = 3 * torch.randn(4000, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    expected = [theirs[f"inception_score_{name}"] for name in ("mean", "std")]
    assert inception_score(logits.softmax(1), 10) == pytest.approx(expected, rel=1e-9)


def test_images_of_torchmetrics():
    package("torchmetrics")
    from torchmetrics.functional import image as theirs

    generator = torch.Generator().manual_seed(0)
    first = torch.rand(2, 3, 192, 192, generator=generator, dtype=torch.float64)
    second = (first + 0.1 * torch.randn(first.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)
    one, other = first[:1], second[:1]
    expected = float(theirs.peak_signal_noise_ratio(other, one, data_range=1.0))
    assert float(psnr(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-6)
    expected = float(theirs.structural_similarity_index_measure(other, one, data_range=1.0))
    # torchmetrics pads the borders and cuts them off again: the same places are averaged
    assert float(ssim(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-3)
    expected = float(theirs.multiscale_structural_similarity_index_measure(other, one, data_range=1.0))
    assert float(ms_ssim(one, other, 1.0)[0]) == pytest.approx(expected, rel=1e-2)
