"""Plugins are found by entry point; a failing one is named and the others work."""

import pytest

from mmcgan import plugins, registry
from mmcgan.config import find_config
from mmcgan.registry import HEADS, HOOKS, LOSSES, every_registry


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

    before = registry.snapshot()
    plugins._load_all.cache_clear()
    yield install
    plugins._load_all.cache_clear()
    registry.restore(before)
    registry.FAILED_PLUGINS.clear()


def test_plugin_is_imported_once(installed):
    installed("plugin_once", "count = []\ncount.append(1)\n")
    plugins.load_plugins()
    assert plugins.load_plugins()["plugin_once_entry"].count == [1]


@pytest.mark.parametrize(
    "failure", ["raise RuntimeError('no licence')", "import not_there_at_all", "1 +", "raise SystemExit(0)"]
)
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


HOOK = """
from mmengine.hooks import Hook
from mmcgan.registry import HOOKS, LOSSES
from mmcgan.losses import Loss

@HOOKS.register_module()
class Bell(Hook):
    pass

@LOSSES.register_module()
class {loss}(Loss):
    def real(self, logit):
        return logit.mean()
"""


def test_a_component_has_its_plugins_name_in_every_registry(installed):
    installed("plugin_bell", HOOK.format(loss="BellLoss"))
    plugins.load_plugins()
    for place, name in ((HOOKS, "Bell"), (LOSSES, "BellLoss")):
        assert place.get(f"plugin_bell_entry.{name}") is place.get(name)
        assert type(place.build(dict(type=f"plugin_bell_entry.{name}"))).__name__ == name
        with pytest.raises(KeyError, match=f"no component named 'other.{name}'"):
            place.require(f"other.{name}")


def test_a_name_that_is_taken_stays_whose_it_was(installed):
    installed("plugin_c1", HOOK.format(loss="HingeLoss"))
    installed("plugin_c2", HOOK.format(loss="WassersteinLoss"))
    loaded = plugins.load_plugins()
    assert set(loaded) == {"plugin_c1_entry", "plugin_c2_entry"}
    assert LOSSES.require("HingeLoss").__module__ == "mmcgan.losses.adversarial"
    assert LOSSES.require("plugin_c1_entry.HingeLoss").__module__ == "plugin_c1"
    assert HOOKS.require("Bell").__module__ == "plugin_c1"
    assert HOOKS.require("plugin_c2_entry.Bell").__module__ == "plugin_c2"
    assert "plugin_c2_entry.Bell" in HOOKS.names()
    adds = {plugin.name: plugin.adds for plugin in plugins.installed_plugins()}
    assert adds["plugin_c2_entry"] == {"hook": ("Bell",), "loss": ("WassersteinLoss",)}


def test_a_plugin_that_fails_half_way_leaves_nothing_behind(installed):
    installed("plugin_half", HOOK.format(loss="HalfLoss") + "\nimport nothing_like_this\n")
    before = [sorted(each._module_dict) for each in every_registry()]
    with pytest.warns(UserWarning, match="plugin_half"):
        plugins.load_plugins()
    assert [sorted(each._module_dict) for each in every_registry()] == before
    with pytest.raises(KeyError, match=r"no component named 'HalfLoss'.*'plugin_half_entry' failed"):
        LOSSES.require("HalfLoss")
    with pytest.raises(FileNotFoundError, match=r"'plugin_half_entry' failed \(plugin_half 1.0: Mod"):
        find_config("no_such_config_at_all")


def test_a_plugin_that_registers_something_unusable_is_named_with_what_is_wrong(installed):
    installed(
        "plugin_bare", "from mmcgan.registry import HEADS\nHEADS.register_module(module=type('Bare', (), {}))"
    )
    with pytest.warns(UserWarning, match=r"plugin_bare.*ContractError: Bare is no head: it lacks `forward`"):
        plugins.load_plugins()
    assert HEADS.get("Bare") is None


def test_a_config_named_like_a_shipped_one_does_not_win(installed, tmp_path):
    folder = tmp_path / "twins"
    folder.mkdir()
    (folder / "biggan_digits-16.py").write_text("model = None\n")
    installed("plugin_twin", f"CONFIG_FOLDER = {str(folder)!r}\n")
    with pytest.warns(UserWarning, match="is mmcgan's; there is plugin_twin_entry::biggan_digits-16 too"):
        found = find_config("biggan_digits-16")
    assert found.parent.name == "biggan"
    assert find_config("plugin_twin_entry::biggan_digits-16") == folder / "biggan_digits-16.py"
    with pytest.raises(FileNotFoundError, match="no installed plugin 'plugin_twin' with configs"):
        find_config("plugin_twin::biggan_digits-16")
    with pytest.raises(FileNotFoundError, match="has no configs 'biggan_digits-61'"):
        find_config("plugin_twin_entry::biggan_digits-61")


def test_a_folder_of_configs_that_is_not_there_is_named(installed):
    installed("plugin_nowhere", "CONFIG_FOLDER = '/not/here'\n")
    with pytest.warns(UserWarning, match="plugin_nowhere.CONFIG_FOLDER is '/not/here', which is no folder"):
        plugins.load_plugins()
