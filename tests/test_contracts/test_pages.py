"""The classes of docs/extending are run: registered, built and used."""

import re
from pathlib import Path

import pytest
import torch

from mmcgan import registry as r
from mmcgan import testing
from mmcgan.registry import SuggestingRegistry

PAGES = Path(__file__).resolve().parents[2] / "docs" / "extending"
REGISTRIES = [value for value in vars(r).values() if isinstance(value, SuggestingRegistry)]


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


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in PAGES.glob("*.md") if path.stem not in ("README", "command"))
)
def test_the_class_of_the_page_registers_and_is_listed(page, name):
    assert len(page(name)) == 1
    assert f"]({name}.md)" in (PAGES / "README.md").read_text()


CHECKS = {
    "generator": lambda kind: testing.check_generator(dict(type=kind, image_size=16, num_classes=3)),
    "backbone": lambda kind: testing.check_backbone(dict(type=kind)),
    "head": lambda kind: testing.check_head(dict(type=kind, num_classes=3)),
    "loss": lambda kind: testing.check_loss(dict(type=kind), {"logit": torch.linspace(-2, 2, 5)}),
    "regularizer": lambda kind: testing.check_regularizer(dict(type=kind)),
    "augment": lambda kind: testing.check_augment(dict(type=kind)),
    "latent_sampler": lambda kind: testing.check_latent_sampler(dict(type=kind)),
    "condition_field": lambda kind: testing.check_condition_field("joints"),
    "condition_sampler": lambda kind: testing.check_condition_sampler(dict(type=kind, num_classes=3)),
    "dataset": lambda kind: testing.check_dataset(dict(type=kind)),
    "extractor": lambda kind: testing.check_extractor(dict(type=kind)),
    "metric": lambda kind: testing.check_metric(dict(type=kind)),
    "hook": lambda kind: testing.check_hook(dict(type=kind, interval=1)),
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_class_of_the_page_passes_its_check(page, name):
    (kind,) = page(name)
    CHECKS[name](kind.__name__)
