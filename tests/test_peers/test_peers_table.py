"""docs/peers.md lists the formats that are registered."""

from mmcgan.peers.translation.registry import readable_formats
from tests.tools_of_developers import tool_fixture

tool = tool_fixture("peers_table")


def test_the_page_is_up_to_date(tool):
    text = tool.PAGE.read_text(encoding="utf-8")
    assert tool.page(text) == text, "run python tools/dev/peers_table.py"
    assert all(f"| `{name}` |" in text for name in readable_formats())


def test_every_row_names_a_file(tool):
    for form in readable_formats().values():
        assert (tool.ROOT / "mmcgan" / "peers" / tool.module_of(form)).is_file()
