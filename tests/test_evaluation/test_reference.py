import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors import safe_open

from mmcgan.evaluation import Reference
from tests.test_evaluation.stand_ins import MeanColour

DATA = dict(type="ColourDataset", size=60)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_statistics_are_those_of_all_images():
    extractor = MeanColour()
    reference = Reference(DATA, extractor, batch_size=7)
    statistics = reference.statistics()
    features = extractor(reference.dataset.image).features.double()
    torch.testing.assert_close(statistics.mean, features.mean(0))
    torch.testing.assert_close(statistics.covariance, torch.cov(features.T))
    assert statistics.count == 60


def test_second_use_reads_the_file_and_not_the_images(cache):
    first = Reference(DATA, MeanColour()).statistics()
    extractor = MeanColour()
    again = Reference(DATA, extractor).statistics()
    assert extractor.passes == 0
    assert torch.equal(first.covariance, again.covariance)
    assert [path.suffix for path in (cache / "reference").iterdir()] == [".safetensors"]


@pytest.mark.parametrize(
    ("data", "extractor", "phrase"),
    [
        (DATA, MeanColour(scale=2.0), r"extractor\.weights_sha256 is '\w+' in the file"),
        (DATA, MeanColour(size=8), r"extractor\.image_size is 4 in the file, 8 here"),
        (dict(DATA, split="test"), MeanColour(), "split is 'train' in the file, 'test' here"),
        (dict(DATA, size=57), MeanColour(), "count is 60 in the file, 57 here"),
        (dict(DATA, seed=1), MeanColour(), "dataset_fingerprint is"),
    ],
)
def test_file_of_something_else_is_refused(tmp_path, data, extractor, phrase):
    path = tmp_path / "statistics.safetensors"
    Reference(DATA, MeanColour(), path=str(path)).statistics()
    with pytest.raises(ValueError, match=phrase) as raised:
        Reference(data, extractor, path=str(path)).statistics()
    assert f"tools/reference_stats.py CONFIG --out {path}" in str(raised.value)


def test_cache_keeps_different_references_apart(cache):
    small = Reference(DATA, MeanColour()).statistics()
    large = Reference(DATA, MeanColour(scale=2.0)).statistics()
    torch.testing.assert_close(large.mean, 2 * small.mean)
    assert len(list((cache / "reference").iterdir())) == 2


def test_damaged_file_says_how_to_rebuild(tmp_path):
    path = tmp_path / "statistics.safetensors"
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"not a readable file of reference statistics.*reference_stats\.py"):
        Reference(DATA, MeanColour(), path=str(path)).statistics()


def test_several_writers_leave_one_whole_file(cache):
    def build(_):
        return Reference(DATA, MeanColour()).build()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(build, range(8)))
    (path,) = (cache / "reference").iterdir()  # no temporary file is left
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["identity"])["count"] == 60
        assert torch.equal(file.get_tensor("mean"), results[0].mean)


def test_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    monkeypatch.setenv("MMCGAN_CACHE", str(blocker))
    assert Reference(DATA, MeanColour()).statistics().count == 60
    with pytest.raises(ValueError, match="file is a file"):
        Reference(DATA, MeanColour(), path=str(blocker / "statistics.safetensors"))
