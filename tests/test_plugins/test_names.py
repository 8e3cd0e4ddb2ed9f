"""Names of plugins: in every registry, when they clash, when a plugin fails at any point."""

import sys

import pytest

from mmcgan import plugins, registry
from mmcgan.cli import all_commands, main
from mmcgan.config import find_config
from mmcgan.registry import every_registry
from tests.test_contracts.strangers import STRANGERS

TABLES = [name for name, value in vars(registry).items() if isinstance(value, registry.SuggestingRegistry)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder on the import path; forgets the plugins in it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before, modules = registry.snapshot(), set(sys.modules)
    plugins._load_all.cache_clear()
    yield tmp_path
    plugins._load_all.cache_clear()
    registry.restore(before)
    registry.FAILED_PLUGINS.clear()
    for name in set(sys.modules) - modules:
        if name.startswith("names_"):
            del sys.modules[name]


def install(place, module, source=None, entries=None):
    """Write a module and the package that has it as a plugin."""
    if source is not None:
        (place / f"{module}.py").write_text(source)
    information = place / f"{module}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    text = f"[mmcgan.plugins]\n{module.removeprefix('names_')} = {module}\n" if entries is None else entries
    (information / "entry_points.txt").write_text(text, encoding="utf-8")


def registration(table, name):
    """Return the source that registers a class of a fitting kind in a registry."""
    kinds = STRANGERS.get(table)
    base = f"strangers.{kinds[0].__name__}" if kinds else "object"
    return f"registry.{table}.register_module({name!r}, module=type({name!r}, ({base},), {{}}))\n"


HEAD = "from mmcgan import registry\nfrom tests.test_contracts import strangers\n"


def everywhere(name):
    return HEAD + "".join(registration(table, name) for table in TABLES)


def test_a_long_name_works_in_every_registry(place):
    install(place, "names_cx", everywhere("Wonder"))
    assert set(plugins.load_plugins()) >= {"cx"}
    for each in every_registry():
        found = each.require("cx.Wonder")
        assert found.__name__ == "Wonder" and each.get("Wonder") is found, each.name
        with pytest.raises(KeyError, match=r"no component named 'cy.Wonder'. Did you mean 'Wonder'"):
            each.require("cy.Wonder")
    adds = next(plugin for plugin in plugins.installed_plugins() if plugin.name == "cx").adds
    assert set(adds) == {each.name for each in every_registry()}


def test_a_second_plugin_has_its_long_names_in_every_registry(place):
    tables = [table for table in TABLES if table != "CONDITION_FIELDS"]  # those belong to one class each
    install(place, "names_cx", everywhere("Wonder"))
    install(place, "names_cy", HEAD + "".join(registration(table, "Wonder") for table in tables))
    assert set(plugins.load_plugins()) >= {"cx", "cy"}
    for each in (getattr(registry, table) for table in tables):
        assert each.get("Wonder") is each.get("cx.Wonder") is not each.get("cy.Wonder")
        assert "cy.Wonder" in each.names(), each.name
        assert each.named()["cy.Wonder"] is each.get("cy.Wonder")


@pytest.mark.parametrize(
    ("table", "name"), [("OPTIMIZERS", "Adam"), ("HOOKS", "LoggerHook"), ("HEADS", "ProxyHead")]
)
def test_a_name_of_mmengine_or_ours_stays_whose_it_is(place, table, name):
    before = getattr(registry, table).get(name)
    install(place, "names_cx", HEAD + registration(table, name))
    plugins.load_plugins()
    assert getattr(registry, table).get(name) is before
    assert getattr(registry, table).get(f"cx.{name}").__module__ != before.__module__


@pytest.mark.parametrize("point", range(0, len(TABLES) + 1, 5))
@pytest.mark.parametrize(
    "failure",
    [
        "raise SystemExit(3)",
        "raise GeneratorExit",
        "import names_not_there",
        "def f():\n    f()\nf()",
        "registry.LOSSES.register_module('Bare', module=type('Bare', (), {}))",
        "CONFIG_FOLDER = 'nowhere/at/all'",
    ],
)
def test_a_plugin_that_fails_at_any_point_leaves_nothing(place, point, failure):
    def state():
        return [(each.name, sorted(each._module_dict), sorted(each.namespaces)) for each in every_registry()]

    for each in every_registry():
        each.import_all()
    before = state()
    parts = [registration(table, "Wonder") for table in TABLES]
    install(place, "names_bad", HEAD + "".join(parts[:point]) + failure + "\n" + "".join(parts[point:]))
    install(place, "names_good", "fine = 1\n")
    with pytest.warns(
        UserWarning, match=r"plugin 'bad' of names_bad 1.0 \(names_bad\) is not available: \w+"
    ):
        loaded = plugins.load_plugins()
    assert loaded["good"].fine == 1 and state() == before and "names_bad" not in sys.modules
    with pytest.raises(
        KeyError, match=r"no component named 'Wonder'.*The plugin 'bad' failed \(names_bad 1.0"
    ):
        registry.HEADS.require("Wonder")


def test_an_interrupt_while_a_plugin_is_imported_names_it_and_leaves_nothing(place, capsys):
    install(place, "names_bad", HEAD + registration("HEADS", "Wonder") + "raise KeyboardInterrupt\n")
    assert main(["plugins"]) == 130
    assert "interrupted while the plugin 'bad' of names_bad was imported" in capsys.readouterr().err
    assert registry.HEADS.get("Wonder") is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("void = names_nothing", "ModuleNotFoundError"),
        ("void = names_here:missing", "AttributeError"),
        ("void = not a module", "'not a module' is no name of a module"),
        ("void = :", "':' is no name of a module"),
        ("mmcgan = names_here", "a plugin cannot be called 'mmcgan'"),
        ("mmengine = names_here", "a plugin cannot be called 'mmengine'"),
    ],
)
def test_an_entry_point_that_cannot_be_a_plugin_is_named(place, capsys, entry, said):
    install(place, "names_here", "", f"[mmcgan.plugins]\n{entry}\n")
    assert main(["plugins"]) == 1
    name = entry.partition(" ")[0]
    assert f"{name}: names_here 1.0, failed: " in (out := capsys.readouterr().out) and said in out


@pytest.mark.parametrize("name", ["Ünïcode", "UPPER", "with-dash", "with.dot", "two words"])
def test_names_of_any_letters_work(place, capsys, name):
    source = HEAD + registration("HEADS", "Wonder") + registration("HEADS", "ProxyHead")
    (place / "conf").mkdir()
    (place / "conf" / "names_tiny.py").write_text("model = None\n")
    source += f"CONFIG_FOLDER = {str(place / 'conf')!r}\n"
    install(place, "names_letters", source, f"[mmcgan.plugins]\n{name} = names_letters\n")
    assert main(["plugins"]) == 0
    assert f"{name}: names_letters 1.0, loaded" in capsys.readouterr().out
    assert registry.HEADS.require(f"{name}.ProxyHead").__module__ != "mmcgan.models.heads.proxy"
    assert find_config(f"{name}::names_tiny") == place / "conf" / "names_tiny.py"


def test_two_plugins_of_one_name_and_configs_of_one_name(place, capsys):
    for module in ("names_a", "names_b", "names_c"):
        folder = place / f"{module}_conf"
        folder.mkdir()
        (folder / "names_twin.py").write_text("model = None\n")
        name = "same" if module != "names_c" else "other"
        install(place, module, f"CONFIG_FOLDER = {str(folder)!r}\n", f"[mmcgan.plugins]\n{name} = {module}\n")
    assert main(["plugins"]) == 1
    out = capsys.readouterr().out
    assert "same: names_a 1.0, loaded" in out
    assert "same: names_b 1.0, failed: the name 'same' is that of the plugin of names_a" in out
    with pytest.raises(ValueError, match=r"ambiguous: .*other::names_twin.*same::names_twin"):
        find_config("names_twin")
    assert find_config("other::names_twin") == place / "names_c_conf" / "names_twin.py"
    with pytest.raises(FileNotFoundError, match="plugin"):
        find_config("nobody::names_twin")


def test_commands_that_clash_or_are_none(place, capsys):
    (place / "names_bell.py").write_text("def declare(parser): pass\ndef run(arguments): print('ding')\n")
    (place / "names_bare.py").write_text("def declare(parser): pass\n")
    (place / "names_quits.py").write_text("raise SystemExit(0)\n")
    for module in ("names_one", "names_two"):
        ring = "names_bell" if module == "names_one" else "names_bare"
        install(place, module, "", f"[mmcgan.commands]\nring = {ring}\ntrain = names_bell\n")
    install(place, "names_three", "", "[mmcgan.commands]\nbare = names_bare\nquits = names_quits\n")
    assert all_commands()["train"].module.startswith("mmcgan.")
    main(["plugins"])
    out = capsys.readouterr().out
    assert "command ring: names_two 1.0\n" in out or "command ring: names_one 1.0\n" in out
    assert out.count("command ring: ") == 2 and out.count(" 1.0 has a command of that name)") == 1
    assert out.count("(not reachable: mmcgan has a command of that name)") == 2
    for name, said in (("bare", "names_bare lacks run"), ("quits", "SystemExit: 0")):
        with pytest.raises(SystemExit, match=rf"the command '{name}' of names_three 1.0 failed: .*{said}"):
            main([name])


@pytest.mark.parametrize("value", ["", "names_nothing.weights", "..", "__main__", "names_nothing:x"])
def test_folders_that_are_none_are_listed_as_such(place, capsys, value):
    entries = f"[mmcgan.weights]\ntheirs = {value}\n[mmcgan.zoo]\ntheirs = {value}\n"
    install(place, "names_void", "", entries)
    main(["plugins"])
    out = capsys.readouterr().out
    assert "weights theirs: names_void 1.0, no such folder" in out
    assert "zoo records theirs: names_void 1.0, no such folder" in out
