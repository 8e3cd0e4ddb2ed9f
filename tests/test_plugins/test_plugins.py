"""Plugins are found by entry point; a failing one is named and the others work."""

import pytest

from mmcgan import plugins
from mmcgan.config import find_config


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs a module as a plugin for the time of a test."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, source):
        (tmp_path / f"{name}.py").write_text(source)
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[mmcgan.plugins]\n{name}_entry = {name}\n")

    plugins._load_all.cache_clear()
    yield install
    plugins._load_all.cache_clear()


def test_plugin_is_imported_once(installed):
    installed("plugin_once", "count = []\ncount.append(1)\n")
    plugins.load_plugins()
    assert plugins.load_plugins()["plugin_once_entry"].count == [1]


@pytest.mark.parametrize("failure", ["raise RuntimeError('no licence')", "import not_there_at_all", "1 +"])
def test_failing_plugin_is_named_and_the_others_load(installed, failure):
    installed("plugin_a_bad", failure)
    installed("plugin_b_good", "loaded = True")
    with pytest.warns(UserWarning, match=r"plugin 'plugin_a_bad_entry' of plugin_a_bad .*not available"):
        loaded = plugins.load_plugins()
    assert loaded["plugin_b_good_entry"].loaded
    assert "plugin_a_bad_entry" not in loaded


def test_configs_of_a_plugin_are_found_by_name(installed, tmp_path):
    folder = tmp_path / "my_configs"
    folder.mkdir()
    (folder / "mine_tiny.py").write_text("model = None\n")
    installed("plugin_configs", f"CONFIG_FOLDER = {str(folder)!r}\n")
    assert find_config("mine_tiny") == folder / "mine_tiny.py"
