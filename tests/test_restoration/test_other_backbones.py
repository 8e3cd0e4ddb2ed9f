"""Backbones unlike ours: stages in lists, one layer, vectors or maps alone, fields beside the image."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from mmcgan.models.backbones import Backbone
from mmcgan.restoration import DiscriminatorDistance, block_features, load_prior
from mmcgan.restoration.features import ALL, at_most
from mmcgan.restoration.prior import prior_of
from mmcgan.restoration.writing import shown_as
from mmcgan.structures import Condition
from mmcgan.zoo.discriminators import LoadedDiscriminator

MODEL, WIDTH = "omnigan_biggan_digits-16", 4


class Pair(nn.Module):
    """A layer that returns a tensor beside a number."""

    def forward(self, x):
        """Return both."""
        return x, 1.0


class Other(Backbone):
    """Two convolutions held in some way, and what of their features is emitted."""

    def __init__(self, held, emits):
        super().__init__()
        self.emits, self.out_channels = emits, WIDTH
        convolutions = [nn.Conv2d(3, WIDTH, 4, stride=2), nn.Conv2d(WIDTH, WIDTH, 3)]
        self.parts = held(convolutions)
        self.pair, self.unused = Pair(), nn.ModuleList([nn.Linear(1, 1)])

    def forward(self, image):
        """Return the features by name."""
        for part in self.layers():
            image = part(image)
        image, _ = self.pair(image)
        made = {"map": image.relu(), "pooled": image.mean((2, 3)), "tokens": image.flatten(2).transpose(1, 2)}
        return {name: made[name] for name in self.emits}

    def layers(self):
        """Return the layers in order, out of whatever holds them."""
        return [module for module in self.parts.modules() if isinstance(module, nn.Conv2d)]


def in_dict(layers):
    return nn.ModuleDict({str(i): layer for i, layer in enumerate(layers)})


def nested(layers):
    return nn.ModuleList([nn.ModuleList([layers[0]]), in_dict(layers[1:])])


@pytest.mark.parametrize("held", [nn.ModuleList, in_dict, nested])
@pytest.mark.parametrize("emits", [("pooled", "map"), ("pooled",), ("map",), ("tokens",)])
def test_any_backbone_measures_distances(held, emits):
    backbone = Other(held, emits).eval()
    image, other = torch.rand(2, 3, 3, 16, 16) * 2 - 1
    layers = len(backbone.layers())
    features = block_features(backbone, image)
    assert [tuple(each.shape) for each in features[:layers]] == [(3, 4, 7, 7), (3, 4, 5, 5)]
    assert len(features) == layers + len([name for name in emits if name == "pooled"] or emits)
    distance = DiscriminatorDistance(backbone)
    for number in (1, at_most(3), ALL):
        assert distance(image, image, number).tolist() == [0, 0, 0]
        assert (distance(image, other, number) > 0).all()


def test_the_last_map_is_the_activated_one_where_there_is_one():
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    for emits in (("pooled", "map"), ("map",)):
        backbone = Other(nn.ModuleList, emits).eval()
        features = block_features(backbone, image, activated_end=True)
        assert torch.equal(features[1], backbone(image)["map"]), emits
        assert len(features) == 2 + ("pooled" in emits)


def test_a_number_of_features_is_exact_or_at_most():
    backbone = Other(lambda layers: nn.ModuleList(layers[:1]), ("pooled",)).eval()
    image, other = torch.rand(2, 1, 3, 16, 16)
    distance = DiscriminatorDistance(backbone)
    assert torch.equal(distance(image, other, at_most(3)), distance(image, other, ALL))
    assert torch.equal(distance(image, other, at_most(1)), distance(image, other, 1))
    with pytest.raises(ValueError, match="features=3: this discriminator has 2"):
        distance(image, other, 3)


def test_a_discriminator_that_looks_at_the_condition_compares_no_photos(monkeypatch):
    prior = load_prior(MODEL)
    backbone = Other(nn.ModuleList, ("pooled",))
    backbone.requires = ("label",)
    network = nn.Module()
    network.backbone = backbone
    found = LoadedDiscriminator(network, None, "own")
    monkeypatch.setattr("mmcgan.restoration.prior._discriminator_of", lambda loaded, path: found)
    assert prior_of(prior.loaded, None).pixels_only
    with pytest.raises(
        ValueError, match="own cannot compare photos: its Other looks at label beside the image"
    ):
        prior_of(prior.loaded, None, "discriminator")
    monkeypatch.setattr("mmcgan.restoration.prior.load_discriminator", lambda source: found)
    with pytest.raises(ValueError, match="own cannot compare photos"):
        prior_of(prior.loaded, None, "auto", "own.safetensors")


class Both:
    """Draws a label, and an instance that tells which."""

    def __init__(self, classes=10):
        self.classes = classes

    def sample(self, n, generator):
        """Return ``n`` conditions."""
        label = torch.randint(self.classes, (n,), generator=generator)
        return Condition(label=label, instance=label[:, None].float())


def with_sampler(monkeypatch, sampler):
    prior = load_prior(MODEL, distance="pixels")
    monkeypatch.setattr(prior.generator, "requires", ("label", "instance"), raising=False)
    return replace(prior, loaded=replace(prior.loaded, condition_sampler=sampler))


def test_beside_a_label_all_else_is_drawn_of_that_label_where_it_can_be(monkeypatch):
    prior = with_sampler(monkeypatch, Both())
    found = prior.conditions(5, 3, torch.Generator().manual_seed(0))
    assert found.label.tolist() == [3] * 5 and found.instance.flatten().tolist() == [3.0] * 5
    prior = with_sampler(monkeypatch, Both(classes=2))  # never draws a 3
    found = prior.conditions(5, 3, torch.Generator().manual_seed(0))
    assert found.label.tolist() == [3] * 5 and found.instance.shape == (5, 1)
    kept = shown_as(found[:1], 7)
    assert kept.label.tolist() == [7] and torch.equal(kept.instance, found.instance[:1])


def test_a_field_that_the_sampler_does_not_draw_is_named(monkeypatch):
    prior = with_sampler(monkeypatch, load_prior(MODEL, distance="pixels").loaded.condition_sampler)
    with pytest.raises(ValueError, match=r"label 3: the sampler of .* draws no instance"):
        prior.conditions(2, 3, torch.Generator())


def test_of_a_model_of_labels_alone_nothing_further_is_drawn():
    prior = load_prior(MODEL, distance="pixels")
    source = torch.Generator().manual_seed(0)
    before = source.get_state()
    assert prior.conditions(2, 3, source).present().keys() == {"label"}
    assert torch.equal(source.get_state(), before)
