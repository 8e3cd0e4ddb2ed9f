"""k-means: as good as plain Lloyd and as faiss; one instance for every centroid."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from mmcgan.instances.kmeans import kmeans, nearest_rows, select_instances
from mmcgan.instances.ranking import TensorRows
from mmcgan.neighbours.assign import Assignment
from tests.test_instances.test_neighbours import random_table
from tests.test_neighbours.distributions import DISTINCT, assert_nearest, pair


def objective(table, centroids):
    distance = torch.from_numpy(cdist(table.double().numpy(), centroids.double().numpy()))
    return float(distance.amin(1).square().sum())


def plain_lloyd(table, clusters, iterations, seed):
    table = table.double()
    chosen = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))[:clusters]
    centroids = table[chosen].clone()
    for _ in range(iterations):
        nearest = torch.cdist(table, centroids).argmin(1)
        for cluster in nearest.unique():
            centroids[cluster] = table[nearest == cluster].mean(0)
    return centroids


def test_the_objective_is_that_of_plain_lloyd():
    table = random_table(1500, 48)
    own = objective(table, kmeans(TensorRows(table), 30).centroids)
    plain = [objective(table, plain_lloyd(table, 30, 25, seed)) for seed in range(3)]
    assert min(plain) / 1.1 < own < 1.1 * max(plain)


def test_the_objective_is_within_a_fifth_of_faiss():
    faiss = pytest.importorskip("faiss", reason="faiss is not installed")
    table = random_table(2000, 64, seed=2)
    theirs = faiss.Kmeans(64, 40, niter=25, seed=1, min_points_per_centroid=1)
    theirs.train(table.numpy())
    own = objective(table, kmeans(TensorRows(table), 40).centroids)
    assert own < 1.2 * objective(table, torch.from_numpy(theirs.centroids))


def test_the_objective_is_reported_in_float64_and_iterations_are_told():
    table, told = random_table(600, 32), []
    found = kmeans(TensorRows(table), 7, iterations=4, advance=lambda: told.append(1))
    assert len(told) == 4 and found.points == 600
    assert found.objective == pytest.approx(objective(table, found.centroids), rel=1e-9)


def test_separate_groups_are_found():
    centres = 5 * torch.eye(6, 20)
    noise = torch.randn(600, 20, generator=torch.Generator().manual_seed(0)) / 20
    table = centres.repeat_interleave(100, 0) + noise
    best = min((kmeans(TensorRows(table), 6, seed=s) for s in range(8)), key=lambda found: found.objective)
    assert torch.cdist(centres, best.centroids).amin(1).max() < 0.1


def test_the_seed_decides():
    table = TensorRows(random_table(400, 16))
    first, again, other = (kmeans(table, 9, seed=seed).centroids for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("kind", DISTINCT)
@pytest.mark.parametrize("scale", [1e-24, 1.0, 1e17])
def test_assignments_and_objective_are_the_plain_ones(kind, scale):
    table = pair(kind, (140, 9), 24, 3, scale)[0]
    found = kmeans(TensorRows(table), 8, iterations=3)
    every = cdist(table.double().numpy(), found.centroids.double().numpy())
    nearest = Assignment(table).nearest(found.centroids).numpy()
    np.testing.assert_allclose(every[np.arange(140), nearest], every.min(1), rtol=1e-12)
    exact = torch.from_numpy(every)
    assert torch.equal(torch.from_numpy(nearest), (exact <= exact.amin(1, keepdim=True)).int().argmax(1))
    assert found.objective == pytest.approx(float((every.min(1) ** 2).sum()), rel=1e-9)
    assert torch.isfinite(found.centroids).all()


@pytest.mark.parametrize("kind", DISTINCT)
def test_rows_nearest_to_centroids_are_the_plain_ones(kind):
    centroids, table = pair(kind, (9, 140), 24, 3)
    index, distance = nearest_rows(TensorRows(table), centroids, keep=5)
    assert_nearest(distance, index, centroids, table)


def test_no_cluster_stays_empty_far_from_the_origin():
    table = 1000 + torch.randn(200, 8, generator=torch.Generator().manual_seed(0)) / 100
    table[:150] = table[0]  # rows drawn twice leave clusters empty
    found = kmeans(TensorRows(table), 20)
    assert len(Assignment(table).nearest(found.centroids).unique()) == 20


def test_vectors_that_are_not_finite_are_refused():
    table = random_table(30, 4)
    table[3, 1] = torch.nan
    with pytest.raises(ValueError, match="of 1 of 30 images are NaN or infinite"):
        kmeans(TensorRows(table), 5)


def test_empty_clusters_take_points_far_from_their_centroids():
    table = torch.ones(50, 8)
    table[25:] = -1
    found = kmeans(TensorRows(table), 4)  # two values, four clusters: rows drawn twice leave clusters empty
    assert torch.isfinite(found.centroids).all()
    assert found.objective < 1


def test_little_memory_clusters_a_sample():
    table = random_table(900, 64)
    found = kmeans(TensorRows(table), 5, memory=64 * 8 * 2 * 300)
    assert found.points == 300
    assert objective(table, found.centroids) < 1.2 * objective(table, kmeans(TensorRows(table), 5).centroids)


@pytest.mark.parametrize("clusters", [0, 11])
def test_an_impossible_number_of_clusters_is_refused(clusters):
    with pytest.raises(ValueError, match=rf"in 1\.\.10, got {clusters}"):
        kmeans(TensorRows(random_table(10, 4)), clusters)


def test_nearest_rows_over_several_blocks(monkeypatch):
    monkeypatch.setattr("mmcgan.instances.kmeans.BLOCK_ROWS", 64)
    table = random_table(500, 24)
    centroids = table[:10] + 0.01
    index, _ = nearest_rows(TensorRows(table), centroids, keep=4)
    assert torch.equal(index, torch.cdist(centroids, table).topk(4, largest=False).indices)


def test_two_centroids_do_not_share_an_instance():
    table = torch.eye(6)
    centroids = torch.stack([0.9 * table[2], 0.8 * table[2] + 0.1 * table[4], table[0]])
    assert select_instances(TensorRows(table), centroids).tolist() == [2, 4, 0]


def test_every_image_can_be_selected():
    table = random_table(60, 8)
    chosen = select_instances(TensorRows(table), table[torch.arange(60) // 2])
    assert chosen.sort().values.tolist() == list(range(60))
