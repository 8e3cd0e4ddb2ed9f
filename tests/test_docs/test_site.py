"""The site has every page, and its reference every component; ``mkdocs build --strict`` follows the links."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md"))
GENERATED = ("model-zoo.md", "contributing.md", "security.md", "changelog.md")


class Settings(yaml.SafeLoader):
    """Reads mkdocs.yml without building the objects that it names."""


Settings.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def settings():
    return yaml.load((ROOT / "mkdocs.yml").read_text(), Settings)


def leaves(nav):
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [value] if isinstance(value, str) else leaves(value)


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location(
        "docs_reference", ROOT / "tools" / "dev" / "docs_reference.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_reference"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["docs_reference"]


def test_the_navigation_names_pages_that_are_there_and_each_once():
    named = list(leaves(settings()["nav"]))
    assert len(named) == len(set(named)) and set(named) <= {*PAGES, *GENERATED}
    assert any("How to" in section for section in settings()["nav"]), "where other pages go"


def test_nothing_is_fetched_from_elsewhere():
    theme = settings()["theme"]
    assert theme["font"] is False
    assert not {"extra_css", "extra_javascript", "analytics"} & set(settings())


def test_every_component_of_every_registry_is_in_the_reference(reference):
    from mmcgan import registry
    from mmcgan.component_index import components_of

    pages = {role.variable: role.page() for role in reference.roles()}
    shown = 0
    for variable, value in vars(registry).items():
        locations = getattr(value, "_locations", None)
        for name in components_of(variable, locations) if locations else ():
            assert f"| [`{name}`]" in pages[variable], f"{variable}: {name}"
            shown += 1
    assert shown > 150
    assert "::: mmcgan.losses.omni.OmniLoss" in pages["LOSSES"]


def test_every_base_is_in_the_reference_with_its_members(reference):
    pairs = [(base, role.page()) for role in reference.roles() for base in role.bases]
    asked = "\n    options:\n      members: true"
    assert len(pairs) > 12 and [base for base, page in pairs if f"::: {base}{asked}" not in page] == []


def test_a_component_of_the_reference_says_what_it_is(reference):
    for role in reference.roles():
        for line in re.findall(r"^\| \[`.*$", role.page(), flags=re.M):
            assert line.split("|")[2].strip(), line


def test_every_command_is_in_the_reference(reference):
    from mmcgan.cli import COMMANDS

    page = reference.commands_page()
    assert all(f"### {name}\n" in page and f"usage: mmcgan {name}" in page for name in COMMANDS)


def test_public_names_are_in_the_reference(reference):
    page = reference.python_page()
    for name in ("mmcgan.apis.sampling.sample", "mmcgan.apis.inference.CGANInferencer", "check_loss"):
        assert name in page


def test_the_site_can_be_built(tmp_path, monkeypatch):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed; .ci/run builds the whole site")
    pytest.importorskip("material", reason="the extra docs is not installed")
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "dev"))
    site = importlib.import_module("docs_site")
    assert site.unplaced([{"Home": "index.md"}, {"All": [*PAGES[2:]]}]) == [
        page for page in PAGES[:2] if page != "index.md"
    ]
    assert site.page_of(ROOT / "docs" / "training.md") == ("training.md", "")
    assert site.page_of(ROOT / "configs/biggan/biggan_digits-16.py") == (
        "configs/biggan.md",
        "biggan_digits-16",
    )
    assert site.page_of(ROOT / "mmcgan/models/gan.py") == ("files/mmcgan/models/gan.py.md", "")
    moved = site.relinked("[x](../SECURITY.md#a) [y](images/z.png) [z](https://a/b)", "faq.md")
    assert moved == "[x](security.md#a) [y](images/z.png) [z](https://a/b)"
    assert site.with_lists("text:\n- one\n  more\n- two") == "text:\n\n- one\n    more\n- two"


def test_arguments_that_are_described_together_have_a_row_each(monkeypatch):
    pytest.importorskip("griffe", reason="the extra docs is not installed")
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "dev"))
    from docs_arguments import separated

    text = "A :class:`Thing`.\n\n    Args:\n        height, width: of it,\n            in pixels.\n"
    text += "        name: its."
    assert separated(text) == (
        "A `Thing`.\n\n    Args:\n        height: of it,\n            in pixels.\n"
        "        width: of it,\n            in pixels.\n        name: its."
    )
