"""The notebook runs from its first to its last cell, and shows what it made."""

import base64
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"


def cells():
    return json.loads(NOTEBOOK.read_text())["cells"]


def test_it_shows_pictures_and_figures_and_is_small():
    outputs = [output for cell in cells() for output in cell.get("outputs", [])]
    pictures = ["".join(o["data"]["image/png"]) for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 3
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert "'fid'" in str(outputs) and "'real': 1438" in str(outputs)
    assert NOTEBOOK.stat().st_size < 400_000


def test_no_cell_was_left_out_or_names_a_machine():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    shown = [
        {**o, "data": {k: v for k, v in o.get("data", {}).items() if k != "image/png"}}
        for cell in code
        for o in cell["outputs"]
    ]
    assert not re.search(r"/(home|root|tmp|usr|work)/", json.dumps(shown))


def test_its_links_lead_somewhere():
    for cell in cells():
        if cell["cell_type"] == "markdown":
            for link in re.findall(r"\]\(([^)#]+)", "".join(cell["source"])):
                assert (ROOT / "docs" / link).is_file(), link


def test_every_cell_runs(monkeypatch, tmp_path):
    pytest.importorskip("nbclient", reason="the extra docs is not installed; .ci/run runs the notebook")
    pytest.importorskip("ipykernel", reason="the extra docs is not installed")
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "dev"))
    import run_notebook

    notebook = run_notebook.executed()
    made = [o for cell in notebook.cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(made) == 3
