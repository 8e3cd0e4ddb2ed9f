import numpy as np
import pytest
import torch

from mmcgan.evaluation.statistics.reference import Reference
from tests.test_evaluation.stand_ins import ColourDataset, MeanColour


def reference(path):
    return Reference(ColourDataset(), MeanColour(), path=str(path))


def test_statistics_of_other_projects_are_read(tmp_path):
    path = tmp_path / "theirs.npz"
    covariance = np.eye(3) * 2
    np.savez(path, mu=np.arange(3, dtype=np.float32), sigma=covariance)
    found = reference(path).statistics()
    assert found.mean.tolist() == [0, 1, 2] and found.mean.dtype == torch.float64
    assert torch.equal(found.covariance, torch.from_numpy(covariance))


@pytest.mark.parametrize(
    ("arrays", "phrase"),
    [
        (dict(mu=np.zeros(4), sigma=np.eye(4)), r"mu \(4,\) and sigma .* do not belong to .* 3 features"),
        (dict(mean=np.zeros(3)), "not statistics with arrays 'mu' and 'sigma'"),
        (dict(mu=np.full(3, np.nan), sigma=np.eye(3)), "mu or sigma contains NaN"),
        (dict(mu=np.array([object()] * 3), sigma=np.eye(3)), "not statistics with arrays"),  # a pickle
    ],
)
def test_others_files_that_cannot_be_right_are_refused(tmp_path, arrays, phrase):
    path = tmp_path / "theirs.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=phrase):
        reference(path).statistics()


def test_a_missing_npz_is_not_made(tmp_path):
    with pytest.raises(ValueError, match=r"missing and \.npz files are only read"):
        reference(tmp_path / "none.npz").statistics()


def test_without_keeping_nothing_is_written_and_every_change_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    dataset = ColourDataset()
    before = Reference(dataset, MeanColour(), keep=False).statistics()
    dataset.image[7] = 0
    after = Reference(dataset, MeanColour(), keep=False).statistics()
    assert not torch.equal(before.mean, after.mean)
    assert list(tmp_path.iterdir()) == []
