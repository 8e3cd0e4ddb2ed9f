"""Every head says which features it looks at, and a backbone without them is refused when it is built."""

import pytest
import torch
from torch import nn

from mmcgan.models.backbones import Backbone
from mmcgan.models.discriminator import Discriminator
from mmcgan.models.heads import EachScale, OnWindows
from mmcgan.registry import BACKBONES, HEADS, restore, snapshot
from mmcgan.testing.requirements import made_up_condition
from tests.test_contracts.examples.networks import CLASSES
from tests.test_contracts.test_every_class import filled, ours

WIDTH, ROWS = 8, 2
NAMES = [f"{name}{scale}" for scale in ("", "_0", "_1") for name in ("pooled", "map")]


class Watched(dict):
    """Features that write down which of them are looked at."""

    def __init__(self, values):
        super().__init__(values)
        self.seen = set()

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)


class Emitting(Backbone):
    """Emits what it is told to."""

    def __init__(self, emits):
        super().__init__()
        self.emits, self.out_channels, self.conv = tuple(emits), WIDTH, nn.Conv2d(3, WIDTH, 4, stride=4)

    def forward(self, image):
        """Return maps and their means."""
        seen = self.conv(image)
        return {name: seen if name.startswith("map") else seen.mean((2, 3)) for name in self.emits}


@pytest.fixture(autouse=True)
def registered():
    before = snapshot()
    BACKBONES.register_module(module=Emitting, force=True)
    yield
    restore(before)


def condition_of(head, size=4):
    return made_up_condition(head.requires, ROWS, CLASSES, {}, size)


@pytest.mark.parametrize("name", ours(HEADS))
def test_what_a_head_looks_at_is_what_it_says(name):
    head = HEADS.build({"in_channels": WIDTH, **filled(HEADS, name)}).eval()
    maps = torch.randn(ROWS, WIDTH, 4, 4)
    features = Watched({each: maps if each.startswith("map") else maps.mean((2, 3)) for each in NAMES})
    head(features, condition_of(head))
    assert features.seen == set(head.reads) != set()


@pytest.mark.parametrize("name", ours(HEADS))
def test_a_head_is_built_on_what_it_looks_at_and_on_nothing_less(name):
    settings = filled(HEADS, name)
    needed = HEADS.build({"in_channels": WIDTH, **settings}).reads
    built = Discriminator(dict(type="Emitting", emits=needed), {"own": settings})
    found = built(torch.randn(ROWS, 3, 16, 16), condition_of(built.heads["own"]))
    assert {key for key in found if key.startswith("own.")} == {
        f"own.{each}" for each in built.heads["own"].emits
    }
    for feature in needed:
        others = [each for each in NAMES if each != feature]
        with pytest.raises(
            ValueError, match=rf"heads.own: {name} looks at '{feature}', which Emitting does not"
        ):
            Discriminator(dict(type="Emitting", emits=others), {"own": settings})


def test_a_head_around_another_looks_at_what_that_one_does():
    early = dict(type="PatchHead", feature="early")
    assert OnWindows(WIDTH, early, kernel_size=2).reads == ("map", "early")
    assert OnWindows(WIDTH, dict(type="AdversarialHead"), kernel_size=2).reads == ("map",)
    assert EachScale(WIDTH, dict(type="PatchHead"), [2]).reads == ("map_2",)
    assert EachScale(WIDTH, dict(type="AdversarialHead"), [2]).reads == ("pooled_2",)
