"""docs/peers.md lists the formats that are registered."""

import importlib.util
from pathlib import Path

import pytest

from mmcgan.peers.translation.registry import readable_formats

TOOL = Path(__file__).parents[2] / "tools" / "dev" / "peers_table.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("peers_table", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(tool):
    text = tool.PAGE.read_text(encoding="utf-8")
    assert tool.page(text) == text, "run python tools/dev/peers_table.py"
    assert all(f"| `{name}` |" in text for name in readable_formats())


def test_every_row_names_a_file(tool):
    for form in readable_formats().values():
        assert (tool.ROOT / "mmcgan" / "peers" / tool.module_of(form)).is_file()
