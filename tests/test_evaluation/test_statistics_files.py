"""A file of statistics is a mean and a covariance, or it is refused."""

import numpy as np
import pytest
import torch

from mmcgan.evaluation.statistics.frechet import GaussianStatistics
from mmcgan.evaluation.statistics.reference import (
    load_foreign_statistics,
    load_statistics,
    save_foreign_statistics,
    save_statistics,
)

SIZE = 40
ROWS = np.random.default_rng(0).normal(size=(25, SIZE)) * np.geomspace(1e-3, 10, SIZE)  # not of full rank
GOOD = np.cov(ROWS, rowvar=False)
MEAN = ROWS.mean(0)


def asymmetric(covariance):
    covariance[0, 1] += 0.5


def triangle(covariance):
    covariance[np.tril_indices(SIZE, -1)] = 0


def negative(covariance):
    covariance *= -1


def one_negative_eigenvalue(covariance):
    values, vectors = np.linalg.eigh(covariance)
    covariance -= 1.01 * values[-3] * np.outer(vectors[:, -3], vectors[:, -3])
    covariance -= 0.01 * values[-1] * np.outer(vectors[:, 0], vectors[:, 0])


def not_a_number(covariance):
    covariance[3, 3] = np.nan


FAULTS = [asymmetric, triangle, negative, one_negative_eigenvalue, not_a_number]


def ours(folder, mean, covariance):
    path = folder / "ours.safetensors"
    tensors = [torch.from_numpy(np.asarray(value, np.float64)) for value in (mean, covariance)]
    save_statistics(path, GaussianStatistics(*tensors, 25), {"count": 25})
    return load_statistics(path, {"count": 25})


def foreign(folder, mean, covariance):
    np.savez(folder / "theirs.npz", mu=mean, sigma=covariance)
    return load_foreign_statistics(folder / "theirs.npz", SIZE)


def foreign_single(folder, mean, covariance):
    return foreign(folder, mean.astype(np.float32), covariance.astype(np.float32))


READERS = [ours, foreign, foreign_single]


@pytest.mark.parametrize("reader", READERS)
def test_good_ones_are_read_whatever_their_rank_and_scale(tmp_path, reader):
    for scale in (1.0, 1e-6, 1e6):
        found = reader(tmp_path, MEAN, scale * GOOD)
        assert np.allclose(found.covariance.numpy(), scale * GOOD, rtol=1e-5, atol=1e-6 * scale)
    reader(tmp_path, MEAN, np.zeros_like(GOOD))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_covariance_is_refused(tmp_path, reader, fault):
    covariance = GOOD.copy()
    fault(covariance)
    with pytest.raises(ValueError, match=r"(ours|theirs)\.\w+: .*(covariance|sigma) (is|has|contains)"):
        reader(tmp_path, MEAN, covariance)


def test_files_for_other_programs_have_what_these_read(tmp_path):
    statistics = GaussianStatistics(torch.from_numpy(MEAN), torch.from_numpy(GOOD), 25)
    save_foreign_statistics(tmp_path / "x.npz", statistics)
    with np.load(tmp_path / "x.npz") as file:  # as clean-fid and pytorch-fid do
        assert np.array_equal(file["mu"], MEAN) and np.array_equal(file["sigma"], GOOD)
    assert torch.equal(load_foreign_statistics(tmp_path / "x.npz", SIZE).covariance, statistics.covariance)
