"""Weights that a plugin brings are models like ours: listed, and sampled by name."""

import json
import shutil

import pytest

from mmcgan import plugins
from mmcgan.cli import main
from mmcgan.weights import own_index, weight_path

OURS = "biggan_digits-16"


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """Install a package with a model of its own and one named like ours; its code cannot be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "brought_models" / "weights"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    entry = own_index("generator")[OURS]
    shutil.copy(weight_path(OURS, "generator"), folder / "theirs.safetensors")
    entry = {**entry, "file": "theirs.safetensors"}
    (folder / "index.json").write_text(json.dumps({"theirs-16": entry, OURS: entry}))
    information = tmp_path / "brought_models-2.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: brought-models\nVersion: 2.0\n")
    (information / "entry_points.txt").write_text("[mmcgan.weights]\nbrought = brought_models.weights\n")
    plugins._load_all.cache_clear()
    yield
    plugins._load_all.cache_clear()


def test_models_of_a_plugin_are_listed_and_sampled_by_name(brought, tmp_path, capsys):
    assert main(["list"]) in (0, None)
    listed = capsys.readouterr().out
    names = {line.partition(":")[0] for line in listed.splitlines()}
    assert {"theirs-16", f"brought.{OURS}", OURS} <= names
    for number, name in enumerate(("theirs-16", f"brought.{OURS}", OURS)):
        assert main(["sample", name, "--num", "1", "--out", str(tmp_path / str(number))]) in (0, None)
    pictures = [next((tmp_path / str(number)).rglob("*.png")).read_bytes() for number in range(3)]
    assert pictures[0] == pictures[1] == pictures[2]
    assert main(["sample", "theirs-17", "--num", "1", "--out", str(tmp_path / "no")]) == 2
    assert "theirs-16" in capsys.readouterr().err
