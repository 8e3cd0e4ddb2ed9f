"""The classes of docs/extending are run: registered, built and used."""

import re
from itertools import islice
from pathlib import Path

import pytest
import torch

from mmcgan import registry as r
from mmcgan import testing
from mmcgan.datasets.order import Draw
from mmcgan.datasets.pipeline import Pipeline
from mmcgan.registry import SuggestingRegistry
from mmcgan.restoration import preset_plan
from mmcgan.zoo.store import read_records

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


NO_CLASSES = {"README", "command", "testing", "weights"}
NAMES = sorted(path.stem for path in PAGES.glob("*.md") if path.stem not in NO_CLASSES)
INDEX = (PAGES / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_class_of_the_page_registers(page, name):
    assert len(page(name)) == len(re.findall(r"register_module\(", (PAGES / f"{name}.md").read_text())) > 0


@pytest.mark.parametrize("name", sorted({path.stem for path in PAGES.glob("*.md")} - {"README"}))
def test_the_page_is_listed(name):
    assert f"]({name}.md)" in INDEX


def test_every_registry_has_a_page_or_is_said_to_be_mmengines():
    variables = {name: value for name, value in vars(r).items() if isinstance(value, SuggestingRegistry)}
    rows = [line for line in INDEX.splitlines() if line.startswith("|")]
    paged = {name for name in variables for row in rows if f"`{name}`" in row and ".md)" in row}
    (others,) = re.findall(r"The other registries \((.*?)\)", INDEX, flags=re.S)
    assert sorted(paged | set(re.findall(r"\w+", others))) == sorted(variables)
    assert [name for name in re.findall(r"\w+", others) if variables[name].parent is None] == []


def test_every_base_names_a_page_that_is_there():
    closed = [registry for registry in REGISTRIES if hasattr(registry, "bases")]
    bases = [base for registry in closed for base in registry.bases.classes()]
    pages = {base.__name__: PAGES.parents[1] / vars(base)["contract"].page for base in bases}
    assert len(pages) > 12 and [name for name, path in pages.items() if not path.is_file()] == []


(CHECKS,) = re.findall(r"```python\n(.*?)```", (PAGES / "testing.md").read_text(), flags=re.S)
CALLS = [line for line in CHECKS.splitlines() if line.startswith("testing.")]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: re.sub(r"\W+", "-", call.partition("#")[0]))
def test_the_class_of_the_page_passes_its_check(page, call):
    for name in NAMES:
        page(name)
    exec(call, {"testing": testing, "torch": torch})


def test_there_is_an_example_of_every_check():
    shown = set(re.findall(r"testing\.(check_\w+)\(", CHECKS))
    assert shown == {name for name in testing.__all__ if name.startswith("check_")}


def test_the_transform_of_the_page_in_a_pipeline(page):
    page("transform")
    image = torch.arange(3 * 8 * 8, dtype=torch.uint8).reshape(1, 3, 8, 8)
    inverted = Pipeline([dict(type="RandomInvert", prob=1.0)], 8)({"image": image}, [Draw(0, 0)])
    assert torch.equal(inverted["image"], 255 - image)


def test_the_order_of_the_page_goes_on_where_it_was(page):
    (kind,) = page("order")
    whole, resumed = kind(range(3)), kind(range(3))
    resumed.start(4)
    assert list(islice(whole, 8))[4:] == list(islice(resumed, 4)) == [1, 2, 0, 1]


def test_the_latent_move_of_the_page_climbs(page):
    (kind,) = page("latent_move")
    latent = torch.randn(4, 5)
    moved = r.SAMPLERS.build(dict(type=kind.__name__))(latent, lambda z: -z.square().sum(1))
    assert bool((moved.norm(dim=1) < latent.norm(dim=1)).all())


def test_the_exchange_of_the_page_computes(page):
    page("exchange")
    weight = torch.nn.Parameter(torch.ones(2))
    with r.GRADIENT_EXCHANGES.build(dict(type="OneByOne")).share([weight]).mini_batch(last=True) as call:
        terms = call(lambda: {"loss": weight.sum()})
        terms["loss"].backward()
    assert torch.equal(weight.grad, torch.ones(2))


def test_the_degradation_of_the_page_is_a_task(page):
    page("degradation")
    image = torch.full((1, 3, 8, 8), 0.5)
    given = r.DEGRADATIONS.build(dict(type="stripes")).target(image)
    assert given[0, 0, :, 0].tolist() == [0, 0.5, 0.5, 0.5] * 2
    assert preset_plan("stripes", 4) == preset_plan("inpaint", 4)
    with pytest.raises(ValueError, match="Did you mean 'stripes'"):
        preset_plan("stripe", 4)


def test_the_records_of_the_page_are_read(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", (PAGES / "weights.md").read_text(), flags=re.S)
    (tmp_path / "records.yml").write_text(text)
    (record,) = read_records([tmp_path / "records.yml"]).values()
    assert record.name == "stripes_example-16" and record.figures[0].values == {"feature_spread": 0.21}
