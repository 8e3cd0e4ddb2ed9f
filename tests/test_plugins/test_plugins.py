"""Plugins are found by entry point; a failing one is named and the others work."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from mmcgan import plugins, registry
from mmcgan.config import find_config
from mmcgan.evaluation.report.metric_names import metric_configs
from mmcgan.evaluation.report.report import direction
from mmcgan.hooks.monitor import Monitor
from mmcgan.registry import GENERATION_METRICS, HEADS, HOOKS, LOSSES, every_registry
from mmcgan.weights import own_index, read_index, weight_path
from mmcgan.zoo.store import published_records


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs a module as a plugin for the time of a test."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, source, entries=""):
        (tmp_path / f"{name}.py").write_text(source)
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[mmcgan.plugins]\n{name}_entry = {name}\n{entries}")

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


METRIC = """
from mmcgan.evaluation import GenerationMetric
from mmcgan.registry import GENERATION_METRICS

@GENERATION_METRICS.register_module()
class Vividness(GenerationMetric):
    short_names = {"vividness": {}, "fid": {}}
    suite = ("vividness",)
    least_generated = 7
    better = {"vividness": "greater"}
    figures = ("vividness",)
    def reset(self): pass
    def update(self, output, condition): pass
    def merge(self): pass
    def compute(self): return {"vividness": 1.0}
"""


def test_a_metric_of_a_plugin_has_its_short_name_and_direction(installed):
    installed("plugin_metric", METRIC)
    plugins.load_plugins()
    assert metric_configs(["vividness"]) == [dict(type="Vividness")]
    assert dict(type="Vividness") in metric_configs(["all"])
    shortage = GENERATION_METRICS.build(dict(type="Vividness")).shortage
    assert shortage(7, None) is None and "at least 7 generated images" in shortage(6, None)
    assert metric_configs(["fid"]) == [dict(type="FID")]  # a name that is taken stays whose it was
    assert Monitor("vividness").rule == "greater" and direction("val/vividness") == "↑"


COMMAND = """
import sys
assert "torch" not in sys.modules
def declare(parser):
    parser.add_argument("--loud", action="store_true")
def run(arguments):
    print("ding", arguments.loud)
"""


def test_a_command_of_a_plugin_is_listed_and_run_without_torch(installed, tmp_path):
    (tmp_path / "bell_command.py").write_text(COMMAND)
    entries = "[mmcgan.commands]\nring = bell_command\ntrain = bell_command\nbroken = not_there\n"
    installed("plugin_ring", "", entries)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])}

    def call(*words):
        command = [sys.executable, "-m", "mmcgan.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)

    assert "ring" in call("--help").stdout and "of plugin_ring 1.0" in call("--help").stdout
    assert call("ring", "--loud").stdout == "ding True\n"
    assert "usage: mmcgan ring [-h] [--loud]" in call("ring", "--help").stdout
    assert "train a config" in call("train", "--help").stdout.lower()
    failed = call("broken")
    assert (
        failed.returncode
        and "the command 'broken' of plugin_ring 1.0 failed: ModuleNotFound" in failed.stderr
    )
    listed = call("plugins").stdout
    assert "plugin_ring_entry: plugin_ring 1.0, loaded" in listed
    assert "command train: plugin_ring 1.0 (not reachable: mmcgan has a command of that name)" in listed


def test_weights_and_zoo_records_of_a_plugin_are_found_without_importing_it(installed, tmp_path, monkeypatch):
    package = tmp_path / "plugin_data"
    for folder in ("weights", "zoo"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    ours, record = next(iter(own_index("generator").items()))
    entry = {**record, "sha256": hashlib.sha256(b"weights").hexdigest(), "file": "a.safetensors"}
    (package / "weights" / "index.json").write_text(json.dumps({"a": entry, ours: entry}))
    (package / "weights" / "a.safetensors").write_bytes(b"weights")
    model = "{name: their-model, dataset: Digits, weights: 'https://example.org/a.pth'}"
    page = "source: 'https://example.org', paper: 'https://example.org/p'"
    text = f"- {{family: Theirs, {page}, models: [{model}]}}"
    (package / "zoo" / "records.yml").write_text(text)
    entries = "[mmcgan.weights]\ntheirs = plugin_data.weights\n[mmcgan.zoo]\ntheirs = plugin_data.zoo\n"
    installed("plugin_files_of", "", entries)
    assert weight_path("a", "generator") == (package / "weights" / "a.safetensors").resolve()
    assert read_index("generator")[ours] == record and f"theirs.{ours}" in read_index("generator")
    published_records.cache_clear()
    try:
        assert published_records()["their-model"].family == "Theirs"
    finally:
        published_records.cache_clear()
