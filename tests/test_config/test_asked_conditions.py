"""What a sampler draws against what the networks look at: every field, whoever wrote the classes."""

from types import SimpleNamespace

import pytest
import torch

from mmcgan.condition_fields import condition_field, field_names, made_up_condition
from mmcgan.config.asked_conditions import condition_problems, drawn_fields
from mmcgan.config.load import prepare_config, read_config
from mmcgan.config.locate import find_config
from mmcgan.models.generators import Generator
from mmcgan.registry import DATASETS, GENERATORS, LOSSES, SAMPLERS, restore, snapshot
from mmcgan.samplers import ConditionSampler
from tests.test_contracts.strangers import StrangeDataset

FIELDS = field_names()
ATTRIBUTES = "omnigan-multi-label_biggan_two-domain-digits-16"


class Draws(ConditionSampler):
    """Draws the fields that it is told to."""

    def __init__(self, fields):
        self.fields = fields

    def sample(self, n, generator):
        """Return ``n`` conditions."""
        return made_up_condition(self.fields, n, lambda name: 3, (4, 4), generator)


class Lies(Draws):
    """Returns something else."""

    def sample(self, n, generator):
        """Return a dict."""
        return {}


class ByGroups(Generator):
    """Takes the attributes' groups, which say their number too."""

    requires = ("attributes",)
    num_classes = 0

    def __init__(self, image_size, attribute_groups, latent_dim=4):
        super().__init__()
        self.image_size, self.latent_dim = image_size, latent_dim
        self.out = torch.nn.Linear(sum(map(len, attribute_groups.values())), 3 * image_size**2)

    def size_of(self, field):
        """Return the number of attributes."""
        return self.out.in_features

    def embed(self, condition):
        """Return the attributes."""
        return condition.attributes

    def synthesize(self, latent, embedding):
        """Return images."""
        return self.out(embedding).tanh().view(-1, 3, self.image_size, self.image_size)


@pytest.fixture(autouse=True)
def registered():
    before = snapshot()
    for registry, kind in ((SAMPLERS, Draws), (SAMPLERS, Lies), (GENERATORS, ByGroups)):
        registry.register_module(module=kind, force=True)
    DATASETS.register_module(module=StrangeDataset, force=True)
    yield
    restore(before)


def said(drawn, generator=(), backbone=(), head=(), **model):
    """Return the problems of networks that look at fields, as path and message."""
    fields = {*backbone, *head}
    network = SimpleNamespace(
        backbone=SimpleNamespace(requires=backbone),
        heads={"own": SimpleNamespace(requires=head)},
        requires=sorted(fields),
    )
    sampler = drawn if isinstance(drawn, dict) else dict(type="Draws", fields=drawn)
    config = {"condition_sampler": sampler, "generator": {"type": "ByGroups"}, **model}
    found = condition_problems(config, SimpleNamespace(requires=generator), network)
    return [(problem.path, problem.message) for problem in found]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("who", ["generator", "backbone", "head"])
def test_a_field_that_nobody_draws_is_named_with_who_looks_at_it(field, who):
    other = next(name for name in FIELDS if name != field)
    ((path, message),) = said((other,), **{who: (field,)})
    assert path == "model.condition_sampler"
    assert message.startswith(f"Draws draws {other}, but the {who}") and message.endswith(
        f"looks at {field} as well"
    )
    assert said((other, field), **{"generator": (field,), who: (field,)}) == []


def test_the_sampler_of_the_discriminators_fakes_is_compared_too():
    second = dict(type="Draws", fields=("instance",))
    found = said(("label",), generator=("label",), discriminator_condition_sampler=second)
    assert [path for path, _ in found] == ["model.discriminator_condition_sampler"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("who", ["backbone", "head"])
def test_a_field_by_which_images_are_judged_and_that_the_generator_cannot_see_is_refused(field, who):
    ((path, message),) = said((field,), **{who: (field,)})
    assert path == "model.generator.type"
    assert message.startswith(f"the condition sampler asks for {field}, which this generator does not take")
    assert said((field,)) == [], "nobody looks at it: training without a condition"


@pytest.mark.parametrize("field", [name for name in FIELDS if condition_field(name).facts])
def test_an_explicit_zero_says_that_a_generator_without_the_field_is_meant(field):
    sampler = dict(type="Draws", fields=(field,))
    network = SimpleNamespace(backbone=SimpleNamespace(requires=()), heads={}, requires=[field])
    for value, problems in ((0, 0), (3, 1)):
        model = dict(condition_sampler=sampler, generator={condition_field(field).facts[0]: value})
        assert len(list(condition_problems(model, SimpleNamespace(requires=()), network))) == problems


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        (dict(), 1),
        (dict(weights=dict(real=1.0, generated=1.0)), 1),
        (dict(weights=dict(real=1.0, generated=0.0)), 0),
        (dict(weights=dict(real=1.0)), 0),
        (dict(weights=0.0), 0),
        (dict(inputs=dict(logits="own.logits", label="cond.attributes")), 0),
    ],
)
def test_a_loss_judges_what_it_holds_generated_images_against(changes, problems):
    assert LOSSES.get("CrossEntropyLoss").default_inputs["label"] == "cond.label"
    losses = dict(classification={"type": "CrossEntropyLoss", **changes})
    assert len(said(("label",), losses=losses)) == problems


def test_a_sampler_that_draws_from_a_data_set_is_known_by_its_facts():
    from_set = dict(type="RealCondition", dataset=dict(type="StrangeDataset"))
    assert drawn_fields(from_set) == {"label": True}
    assert [path for path, _ in said(from_set, head=("label",))] == ["model.generator.type"]
    assert said(from_set, generator=("instance",)) == [], "facts need not tell all"
    assert drawn_fields(dict(type="RealCondition")) == {}


def test_what_is_no_condition_is_said_with_its_place():
    ((path, message),) = said(dict(type="Lies", fields=()))
    assert path == "model.condition_sampler" and "Lies.sample" in message


def problems_of(name, **model):
    config = read_config(find_config(name))
    for part, settings in model.items():
        config._cfg_dict["model"][part] = settings
    return prepare_config(config, {})


def test_a_generator_of_somebody_who_takes_the_groups_of_attributes_is_accepted():
    assert problems_of(ATTRIBUTES, generator=dict(type="ByGroups")) == []


def test_whole_configs_are_refused_before_anything_is_built():
    sampler = dict(type="Draws", fields=("instance",))
    found = problems_of("biggan_digits-16", condition_sampler=sampler)
    assert {problem.path for problem in found} == {"model.condition_sampler"}
    assert "but the generator (BigGANGenerator) looks at label as well" in found[0].message
    deaf = dict(type="DCGANGenerator", base_channels=4, latent_dim=8)
    (problem,) = problems_of("spade_scenes-64", generator=deaf)
    assert problem.path == "model.generator.type" and "asks for label_map" in problem.message
