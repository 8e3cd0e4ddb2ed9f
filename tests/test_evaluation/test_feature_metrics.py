import pytest
import torch

from mmcgan.evaluation import (
    class_groups,
    extrapolate,
    feature_frechet_distance,
    frechet_distance,
    improved_precision_recall,
    intra_class_fid,
    kernel_distance,
    kernel_distance_of_subsets,
    sajjadi_precision_recall,
)
from mmcgan.evaluation.metrics.collected import Collected
from mmcgan.evaluation.metrics.sajjadi import max_f_scores, precision_recall_curve


def cloud(count, width=6, seed=0, shift=0.0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) + shift


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def plain_kernel_distance(real, fake):
    x, y = real.double(), fake.double()

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    within = sum(float(kernel(v, v).fill_diagonal_(0).sum()) / (len(v) * (len(v) - 1)) for v in (x, y))
    return within - 2 * float(kernel(x, y).mean())


def test_kernel_distance_over_several_blocks(monkeypatch):
    monkeypatch.setattr("mmcgan.evaluation.metrics.kid.BLOCK", 16)
    real, fake = cloud(45, seed=1), cloud(37, seed=2, shift=0.4)
    assert kernel_distance(real, fake) == pytest.approx(plain_kernel_distance(real, fake), rel=1e-12)


def test_kernel_distance_is_unbiased():
    # halves of one set: the mean over draws is zero within its own standard error
    values = [kernel_distance(cloud(30, seed=s), cloud(30, seed=s + 1000)) for s in range(60)]
    spread = torch.tensor(values).std() / len(values) ** 0.5
    assert abs(sum(values) / len(values)) < 3 * float(spread)
    assert min(values) < 0


def test_kernel_distance_of_whole_subsets_is_the_full_one():
    real, fake = cloud(20, seed=1), cloud(20, seed=2, shift=1.0)
    mean, deviation = kernel_distance_of_subsets(real, fake, 3, 20, seeded())
    assert mean == pytest.approx(kernel_distance(real, fake), rel=1e-9)
    assert deviation == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="3 subsets of 21 from 20 real and 20 generated"):
        kernel_distance_of_subsets(real, fake, 3, 21, seeded())
    with pytest.raises(ValueError, match="at least 2 images per side, got 1 and 20"):
        kernel_distance(real[:1], fake)


@pytest.mark.parametrize("counts", [(40, 30), (40, 4), (5, 4)])
def test_frechet_distance_of_features_is_that_of_their_statistics(counts):
    pair = [cloud(count, seed=i, shift=float(i)).double() for i, count in enumerate(counts)]
    statistics = [value for x in pair for value in (x.mean(0), torch.cov(x.T))]
    assert feature_frechet_distance(*pair) == pytest.approx(frechet_distance(*statistics), rel=1e-6)
    with pytest.raises(ValueError, match="more than 1 feature vectors, got 1"):
        feature_frechet_distance(pair[0], pair[1][:1])


def test_intra_class_fid_sees_a_class_that_is_wrong():
    label = torch.arange(60) % 3
    real, fake = cloud(60, seed=1), cloud(60, seed=2)
    fake[label == 1] += 5
    figures = intra_class_fid(Collected(real, label), Collected(fake, label))
    assert figures[1] > 100 > 10 > max(figures[0], figures[2])
    assert figures[2] == pytest.approx(feature_frechet_distance(real[label == 2], fake[label == 2]))


def test_an_empty_class_is_named():
    label = torch.arange(20) % 2
    with pytest.raises(ValueError, match=r"too few in 1 classes: 1 \(10 real, 0 generated\)"):
        intra_class_fid(Collected(cloud(20), label), Collected(cloud(20), label * 0))


def test_groups_by_training_images():
    groups = class_groups([500, 100, 99, 21, 20, 1])
    assert groups == {"many": [0, 1], "medium": [2, 3], "few": [4, 5]}
    with pytest.raises(ValueError, match="few=100 must be below many=100"):
        class_groups([1], many=100, few=100)


def test_extrapolation_takes_away_a_bias_in_one_over_n():
    sizes = [1000, 2000, 5000, 10000]
    assert extrapolate(sizes, [7.5 + 300 / n for n in sizes]) == (
        pytest.approx(7.5, rel=1e-12),
        pytest.approx(300, rel=1e-9),
    )
    with pytest.raises(ValueError, match="two or more sizes"):
        extrapolate([10, 10], [1.0, 1.0])


def test_half_of_the_modes_gives_full_precision_and_half_recall():
    # Sajjadi et al. 2018, figure 3: the real histogram has two bins, the generated one a single one
    precision, recall = precision_recall_curve(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))
    assert precision.max() == 1
    assert recall.max() == pytest.approx(0.5)
    f8, f18 = max_f_scores(precision, recall)
    assert f18 > 0.97
    assert f8 == pytest.approx(0.5, abs=0.01)


def test_sajjadi_of_clusters():
    real = torch.cat([cloud(100, seed=1), cloud(100, seed=2, shift=30.0)])
    f8, f18 = sajjadi_precision_recall(real, cloud(200, seed=3), seeded(), clusters=2, runs=2)
    assert f8 == pytest.approx(0.5, abs=0.01)
    assert f18 > 0.97
    again = sajjadi_precision_recall(real, cloud(200, seed=3), seeded(), clusters=2, runs=2)
    assert again == (f8, f18)
    with pytest.raises(ValueError, match="clusters=20: there are 4 real"):
        sajjadi_precision_recall(real[:4], real, seeded())


def test_improved_precision_and_recall_tell_quality_from_diversity():
    real = torch.cat([cloud(60, seed=1), cloud(60, seed=2, shift=20.0)])
    precision, recall = improved_precision_recall(real, cloud(120, seed=3))
    assert precision > 0.8
    assert 0.3 < recall < 0.5
    assert improved_precision_recall(real, real) == (1, 1)
