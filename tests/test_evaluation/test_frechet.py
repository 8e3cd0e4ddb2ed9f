import numpy as np
import pytest
import scipy.linalg
import torch

from mmcgan.evaluation import StreamingMoments, frechet_distance


def random_covariance(size, condition, seed):
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    values = torch.logspace(0, -np.log10(condition), size, dtype=torch.float64)
    return basis * values @ basis.T


def scipy_distance(mean1, cov1, mean2, cov2):
    root = scipy.linalg.sqrtm(cov1.numpy() @ cov2.numpy())
    return float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * np.trace(root).real)


def moments(features, batch=7):
    stream = StreamingMoments()
    for part in features.split(batch):
        stream.update(part)
    return stream.compute()


def test_one_dimension():
    # (m1 - m2)^2 + (s1 - s2)^2
    distance = frechet_distance(*(torch.tensor(value) for value in ([1.0], [[4.0]], [3.0], [[25.0]])))
    assert distance == pytest.approx(4 + 9, rel=1e-12)


def test_rotated_axes_commute():
    first, second = random_covariance(6, 10, 0), torch.eye(6, dtype=torch.float64) * 9
    roots = torch.linalg.eigvalsh(first).sqrt()
    zero = torch.zeros(6)
    assert frechet_distance(zero, first, zero, second) == pytest.approx(
        float((roots - 3).square().sum()), rel=1e-12
    )


def test_itself_is_zero():
    covariance = random_covariance(40, 1e8, 1)
    assert frechet_distance(torch.ones(40), covariance, torch.ones(40), covariance) < 1e-12


@pytest.mark.parametrize("condition", [1e1, 1e4, 1e8])
def test_agrees_with_scipy(condition):
    mean1, mean2 = torch.linspace(0, 0.1, 48, dtype=torch.float64), torch.zeros(48, dtype=torch.float64)
    pair = mean1, random_covariance(48, condition, 2), mean2, random_covariance(48, condition, 3)
    assert frechet_distance(*pair) == pytest.approx(scipy_distance(*pair), rel=1e-6)


def test_rank_deficient_agrees_with_full_rank_limit():
    # two Gaussians in orthogonal planes: nothing in common, the distance is the sum of variances
    first = torch.diag(torch.tensor([2.0, 3.0, 0.0, 0.0]))
    second = torch.diag(torch.tensor([0.0, 0.0, 5.0, 7.0]))
    assert frechet_distance(torch.zeros(4), first, torch.zeros(4), second) == pytest.approx(17, rel=1e-12)
    assert frechet_distance(torch.zeros(4), first * 0, torch.zeros(4), second) == pytest.approx(12, rel=1e-12)


def test_fewer_images_than_features():
    features = torch.randn(10, 64, generator=torch.Generator().manual_seed(0))
    few, other = moments(features[:5]), moments(features[5:])
    distance = frechet_distance(few.mean, few.covariance, other.mean, other.covariance)
    limit = frechet_distance(
        few.mean, few.covariance + 1e-12 * torch.eye(64), other.mean, other.covariance + 1e-12 * torch.eye(64)
    )
    assert distance == pytest.approx(limit, rel=1e-4)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_streaming_equals_batch(offset):
    features = torch.randn(101, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + offset
    statistics = moments(features)
    torch.testing.assert_close(statistics.mean, features.mean(0), rtol=1e-14, atol=0)
    torch.testing.assert_close(statistics.covariance, torch.cov(features.T), rtol=1e-8, atol=1e-10)
    assert statistics.count == 101


def test_bad_features_are_named():
    stream = StreamingMoments()
    with pytest.raises(ValueError, match="2 of 3 images are NaN or infinite"):
        stream.update(torch.tensor([[1.0, float("nan")], [0, 0], [float("inf"), 1]]))
    stream.update(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="3 columns, earlier batches 2"):
        stream.update(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="more than 1 feature vectors, got 1"):
        stream.compute()


def test_wrong_statistics_are_named():
    eye = torch.eye(2)
    with pytest.raises(ValueError, match=r"expected shapes .*\(3,\)"):
        frechet_distance(torch.zeros(2), eye, torch.zeros(3), eye)
    with pytest.raises(ValueError, match="cov2 contains NaN"):
        frechet_distance(torch.zeros(2), eye, torch.zeros(2), eye * float("nan"))


@pytest.mark.parametrize("counts", [(30, 25), (30, 200), (200, 40)])
def test_rank_deficient_agrees_with_scipy(counts):
    # tr (S1 S2)^½ of S = B Bᵀ is that of the small matrix (B1ᵀ B2)(B2ᵀ B1), on which scipy keeps its digits
    roots = []
    for seed, count in enumerate(counts):
        features = torch.randn(count, 64, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        features = features * torch.logspace(0, -3, 64, dtype=torch.float64) * (1 + seed)
        centred = (features - features.mean(0)) / (count - 1) ** 0.5
        _, scale, basis = torch.linalg.svd(centred, full_matrices=False)
        rank = min(count - 1, 64)
        roots.append(basis[:rank].T * scale[:rank])
    product = (roots[0].T @ roots[1]).numpy()
    square = product @ product.T if product.shape[0] <= product.shape[1] else product.T @ product
    covariances = [root @ root.T for root in roots]
    expected = float(sum(c.trace() for c in covariances)) - 2 * np.trace(scipy.linalg.sqrtm(square)).real
    zero = torch.zeros(64)
    assert frechet_distance(zero, covariances[0], zero, covariances[1]) == pytest.approx(expected, rel=1e-6)
