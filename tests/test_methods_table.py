"""docs/methods.md, the metafiles and the index say what the configs say."""

import shutil
from pathlib import Path

import pytest

from tests.tools_of_developers import tool_fixture

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "dev" / "methods_table.py"


tool = tool_fixture("methods_table")


@pytest.fixture(scope="module")
def texts(tool):
    return tool.everything(ROOT)


@pytest.mark.broad  # reads all configs
def test_what_is_committed_is_up_to_date(texts):
    stale = [
        str(path.relative_to(ROOT))
        for path, text in texts.items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run python tools/dev/methods_table.py"


@pytest.mark.broad  # reads all configs
def test_every_config_is_linked_once(texts):
    page = texts[ROOT / "docs" / "methods.md"]
    for config in (ROOT / "configs").glob("*/*.py"):
        if config.parent.name != "_base_":
            assert page.count(f"](../{config.relative_to(ROOT).as_posix()})") == 1, config


@pytest.mark.broad  # reads all configs
def test_a_row_names_parts_and_views(texts):
    page = texts[ROOT / "docs" / "methods.md"]
    (row,) = [line for line in page.splitlines() if line.startswith("| tacgan | BigGAN")]
    assert "AdversarialHead, ClassifierHead, ClassifierHead" in row
    assert "CrossEntropyLoss (fake, -generated)" in row
    assert "arxiv.org/abs/1907.02690" in row


@pytest.fixture
def small_tree(tmp_path):
    """Return a tree with one method of one config."""
    for part in ("configs/_base_", "configs/acgan"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for extra in (tmp_path / "configs" / "acgan").glob("*.py"):
        if extra.stem != "acgan_biggan_digits-16":
            extra.unlink()
    return tmp_path


def test_a_new_config_changes_page_and_metafile(tool, small_tree):
    before = tool.everything(small_tree)
    folder = small_tree / "configs" / "acgan"
    shutil.copy(folder / "acgan_biggan_digits-16.py", folder / "acgan-new_biggan_digits-16.py")
    after = tool.everything(small_tree)
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == {"methods.md", "metafile.yml"}
    assert "acgan-new_biggan_digits-16" in after[folder / "metafile.yml"]


def test_an_unknown_data_set_is_named(tool, small_tree):
    folder = small_tree / "configs" / "acgan"
    (folder / "acgan_biggan_digits-16.py").rename(folder / "acgan_biggan_fruits-16.py")
    with pytest.raises(ValueError, match=r"no data set is called 'fruits-16'; known: .*digits-16"):
        tool.everything(small_tree)


def test_a_folder_without_a_metafile_is_named(tool, small_tree):
    (small_tree / "configs" / "acgan" / "metafile.yml").unlink()
    with pytest.raises(FileNotFoundError, match=r"acgan/metafile\.yml is missing"):
        tool.everything(small_tree)
