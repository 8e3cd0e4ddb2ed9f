"""The classes of docs/extending are run: registered, built and used."""

import re
from pathlib import Path

import pytest

from mmcgan import registry as r
from mmcgan.registry import ClosedRegistry

PAGES = Path(__file__).resolve().parents[2] / "docs" / "extending"
REGISTRIES = [value for value in vars(r).values() if isinstance(value, ClosedRegistry)]


@pytest.fixture
def page():
    """Return a function that runs the code of a page and gives its class; unregisters it afterwards."""
    before = {id(registry): dict(registry._module_dict) for registry in REGISTRIES}

    def run(name):
        namespace = {"__name__": f"extending_{name}"}
        for block in re.findall(r"```python\n(.*?)```", (PAGES / f"{name}.md").read_text(), flags=re.S):
            exec(block, namespace)
        return [
            component
            for registry in REGISTRIES
            for key, component in registry._module_dict.items()
            if key not in before[id(registry)] and component.__module__ == namespace["__name__"]
        ]

    yield run
    for registry in REGISTRIES:
        for key in set(registry._module_dict) - set(before[id(registry)]):
            if registry._module_dict[key].__module__.startswith("extending_"):
                del registry._module_dict[key]


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README"))
def test_the_class_of_the_page_registers_and_is_listed(page, name):
    assert len(page(name)) == 1
    assert f"]({name}.md)" in (PAGES / "README.md").read_text()
