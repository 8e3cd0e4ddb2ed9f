import numpy as np
import pytest
import torch

from mmcgan.cli import main
from mmcgan.evaluation.statistics.reference import Reference, save_foreign_statistics
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


def check_format(path, width):
    """Hold what pytorch-fid (``f["mu"][:]``) and clean-fid (``stats["mu"]``) take from a file."""
    with np.load(path, allow_pickle=False) as file:
        assert sorted(file.files) == ["mu", "sigma"]
        mean, covariance = file["mu"], file["sigma"]
    assert (mean.dtype, covariance.dtype) == (np.float64, np.float64)
    assert (mean.shape, covariance.shape) == ((width,), (width, width))
    assert mean.flags.c_contiguous and covariance.flags.c_contiguous
    return mean, covariance


def test_the_format_that_others_read_holds(tmp_path):
    dataset, path = ColourDataset(), tmp_path / "ours.npz"
    save_foreign_statistics(path, Reference(dataset, MeanColour(), keep=False).statistics())
    mean, covariance = check_format(path, 3)
    features = MeanColour()(dataset.image).features.double().numpy()
    np.testing.assert_allclose(mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(features, rowvar=False), rtol=1e-9)
    found = reference(path).statistics()
    assert np.array_equal(found.mean.numpy(), mean) and np.array_equal(found.covariance.numpy(), covariance)


def test_the_command_writes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "digits.npz"
    assert main(["reference-stats", "omnigan_biggan_digits-16", "--npz", str(path)]) == 0
    check_format(path, 64)


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
