"""Without the library, or with an old one, the extra is named: by the class, and before a run begins."""

import sys
from types import SimpleNamespace

import pytest

from mmcgan.cli import main
from mmcgan.datasets.sets.hub import HFDataset
from tests.test_datasets.life import SIZE, write_config


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set").mkdir()
    return str(tmp_path / "set")


def test_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'HFDataset needs datasets: .*"mmcgan\[hub\]"'):
        HFDataset(folder, SIZE, label="label")


def test_an_old_library_would_run_programs(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(__version__="3.6.0"))
    with pytest.raises(ImportError, match="datasets 4 or later"):
        HFDataset(folder, SIZE, label="label")


def test_a_training_says_so_before_it_begins(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "datasets", None)
    config = write_config(tmp_path, dict(type="HFDataset", path=folder, image_size=SIZE, label="label"))
    assert main(["train", str(config), "--work-dir", str(tmp_path / "run")]) != 0
    assert "mmcgan[hub]" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
