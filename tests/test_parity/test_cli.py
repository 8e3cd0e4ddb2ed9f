import json
import shutil

import pytest

from tests.parity.cli import main
from tests.test_parity.golden_sets import COMMITTED


@pytest.fixture
def folder(tmp_path):
    """A passing, an unsupported and a corrupt case."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(COMMITTED / "omnigan" / f"loss_c10{suffix}", tmp_path / f"good{suffix}")
        shutil.copy(COMMITTED / "omnigan" / f"loss_c10{suffix}", tmp_path / f"later{suffix}")
    spec = json.loads((tmp_path / "later.json").read_text())
    (tmp_path / "later.json").write_text(json.dumps(spec | {"kind": "of_tomorrow"}))
    (tmp_path / "bad.safetensors").write_bytes(b"?")
    (tmp_path / "bad.json").write_text("{}")
    return tmp_path


def test_the_table_and_its_last_line(folder, capsys):
    assert main([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "1 passed, 1 failed, 1 unsupported"
    assert lines[0].split() == ["case", "peer", "kind", "error", "tolerance", "result", "reason"]
    assert any("bad.safetensors" in line and " fail " in line for line in lines)


def test_unsupported_alone_is_no_failure_unless_strict(folder, capsys):
    for suffix in (".json", ".safetensors"):
        (folder / f"bad{suffix}").unlink()
    assert main([str(folder)]) == 0
    assert main([str(folder), "--strict"]) == 1
    assert capsys.readouterr().out.count("1 passed, 0 failed, 1 unsupported") == 2


def test_a_missing_folder_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "no golden case" in capsys.readouterr().err
