"""What a role asks of a class is said when the class is registered or built, by name and with the page."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mmcgan import registry as r
from mmcgan.contracts import ContractError, contract_of
from mmcgan.models.backbones import Backbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.generators import Generator
from mmcgan.models.heads import Head
from mmcgan.samplers import ConditionSampler, LatentSampler
from mmcgan.structures import Condition

ROOT = Path(__file__).resolve().parents[2]
CHECKED = [value for value in vars(r).values() if isinstance(value, r.ClosedRegistry) and value.bases.places]


@pytest.fixture
def registered():
    """Return a function that registers a class for the time of a test."""
    made = []

    def register(registry, component):
        registry.register_module(module=component)
        made.append((registry, component.__name__))
        return component

    yield register
    for registry, name in made:
        registry._module_dict.pop(name)


@pytest.mark.parametrize("registry", CHECKED, ids=lambda registry: registry.name)
def test_every_component_of_ours_derives_from_the_base_of_its_role(registry):
    bases = tuple(registry.bases.classes())
    for name, component in registry.module_dict.items():
        if component.__module__.startswith("mmcgan."):
            assert issubclass(component, bases), name
    assert all(contract_of(base).role in str(contract_of(base)) for base in bases)


@pytest.mark.parametrize("registry", CHECKED, ids=lambda registry: registry.name)
def test_a_class_of_nothing_is_told_what_it_lacks_and_where_that_is_written(registry):
    class Stranger:
        pass

    with pytest.raises(ContractError, match=r"Stranger is no .*: it lacks `.*derive from mmcgan.*docs/"):
        registry.register_module(module=Stranger)
    assert "Stranger" not in registry._module_dict


def test_every_page_that_messages_name_is_there():
    pages = {contract_of(base).page for registry in CHECKED for base in registry.bases.classes()}
    assert [page for page in sorted(pages) if not (ROOT / page).is_file()] == []


class Mixer(Generator):
    image_size, latent_dim, num_classes = 4, 3, 0

    def embed(self, condition):
        return None

    def synthesize(self, latent, embedding):
        return latent.mean(1)[:, None, None, None].expand(-1, 3, 4, 4).tanh()


def test_a_generator_without_requires_is_refused_when_it_is_built(registered):
    registered(r.GENERATORS, type("MixerGenerator", (Mixer,), {}))
    expected = r"MixerGenerator is no generator: it lacks `requires` \(.*see docs/extending/generator.md"
    with pytest.raises(ContractError, match=expected):
        r.GENERATORS.build(dict(type="MixerGenerator"))


@pytest.mark.parametrize("value", [None, "label", 3])
def test_a_wrong_value_is_shown(registered, value):
    registered(r.GENERATORS, type("MixerGenerator", (Mixer,), {"requires": value}))
    with pytest.raises(ContractError, match=f"`requires` is {value!r}, which is not a tuple of fields"):
        r.GENERATORS.build(dict(type="MixerGenerator"))


def test_a_generator_without_its_methods_is_refused_when_it_is_registered():
    with pytest.raises(ContractError, match="Half is no generator: it lacks `synthesize`"):
        r.GENERATORS.register_module(module=type("Half", (Generator,), {"embed": Mixer.embed}))


def test_a_class_that_has_every_member_need_not_derive(registered):
    members = {name: value for name, value in vars(ConditionSampler).items() if not name.startswith("__")}
    members |= {"sample": lambda self, n, generator: Condition(label=torch.zeros(n, dtype=torch.int64))}
    registered(r.SAMPLERS, type("Alike", (), members))
    assert len(r.SAMPLERS.build(dict(type="Alike")).sample(3, torch.Generator())) == 3


def test_latent_and_condition_samplers_are_not_taken_for_each_other():
    from mmcgan.models.gan import ConditionalGAN
    from tests.test_models.stand_ins import config

    swapped = config(condition_sampler=dict(type="NormalLatent", latent_dim=2))
    with pytest.raises(ContractError, match="NormalLatent is no condition sampler: it lacks"):
        ConditionalGAN(**swapped)


class Told(Head):
    emits = ("score",)

    def __init__(self, in_channels: int, said: str = "score"):
        super().__init__()
        self.said = said
        self.linear = nn.Linear(in_channels, 1)
        nn.init.constant_(self.linear.weight, 7.0)

    def forward(self, features, condition):
        return {self.said: self.linear(features["pooled"])[:, 0]}


class Flat(Backbone):
    emits = ("pooled",)

    def __init__(self):
        super().__init__()
        self.out_channels = 3

    def forward(self, image):
        return {"pooled": image.mean((2, 3))}


def test_an_undeclared_output_names_head_and_declaration(registered):
    registered(r.HEADS, Told), registered(r.BACKBONES, Flat)
    network = Discriminator(dict(type="Flat"), dict(h=dict(type="Told", said="logit")))
    expected = r"discriminator.heads.h: Told returned \['logit'\] and declares emits=\('score',\)"
    with pytest.raises(ValueError, match=expected):
        network(torch.zeros(2, 3, 4, 4), Condition())


def test_a_strangers_head_starts_as_its_constructor_left_it(registered):
    registered(r.HEADS, Told), registered(r.BACKBONES, Flat)
    network = Discriminator(dict(type="Flat"), dict(h=dict(type="Told"), a=dict(type="AdversarialHead")))
    assert (network.heads["h"].linear.weight == 7).all()
    follows = type("Follows", (Told,), {"follows_init": True})
    registered(r.HEADS, follows)
    assert (
        Discriminator(dict(type="Flat"), dict(h=dict(type="Follows"))).heads["h"].linear.weight != 7
    ).any()


def test_sefa_tuning_and_path_lengths_work_with_a_strangers_generator():
    from mmcgan.analysis.directions import sefa_directions, walk
    from mmcgan.models.generators.base import FirstMap, Stages
    from mmcgan.restoration.groups import parameter_groups

    class Own(Mixer):
        requires = ()

        def __init__(self):
            super().__init__()
            self.enter_map, self.block, self.colours = nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 48)

        def synthesize(self, latent, embedding):
            x = self.colours(self.block(self.enter_map(latent)).tanh())
            return x.tanh().unflatten(1, (3, 4, 4))

        def first_map(self):
            return FirstMap(self.enter_map.weight.detach())

        def stages(self):
            return Stages([[self.block]], [self.colours])

    network = Own()
    directions = sefa_directions(network, 2)
    images = walk(network, torch.zeros(1, 3), Condition(), directions, (-1.0, 0.0, 1.0))
    assert images.shape == (2, 3, 3, 4, 4) and not torch.equal(images[0, 0], images[0, 2])
    first, block = parameter_groups(network)
    assert [id(p) for p in first] == [id(p) for p in network.enter_map.parameters()]
    assert [id(p) for p in block] == [id(p) for p in network.block.parameters()]
    image, point = network.enter(torch.ones(2, 3), Condition())
    assert torch.autograd.grad(image.sum(), point)[0].abs().sum() > 0
    mute = type("Mute", (Mixer,), {"requires": ()})()
    for act in (lambda: sefa_directions(mute, 1), lambda: parameter_groups(mute)):
        with pytest.raises(ValueError, match=r"Mute.* does not define .*docs/extending/generator.md"):
            act()


def test_a_law_of_its_own_decides_what_truncation_means():
    class Mixture(LatentSampler):
        def sample(self, n, generator):
            return torch.randn(n, self.latent_dim, generator=generator) + 9

    with pytest.raises(ValueError, match="Mixture does not say what truncation means"):
        Mixture(2).truncate(torch.zeros(1, 2), 0.5)


def test_a_temperature_of_a_loss_is_not_taken_for_that_of_its_scores():
    from mmcgan.losses.base import Loss

    class Warm(Loss):
        def __init__(self):
            super().__init__()
            self.temperature = 0.1

    assert Warm().score_temperature == 1.0
    assert r.LOSSES.build(dict(type="D2DCELoss", temperature=0.25)).score_temperature == 0.25
