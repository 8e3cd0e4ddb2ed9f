import pytest
import torch

from mmcgan.augments import Augment, ComposeAugments
from mmcgan.random import make_generator
from mmcgan.registry import AUGMENTS
from mmcgan.structures import Condition, GANBatch

COLOUR = dict(type="DiffAugment", policy=["brightness"])


def noise(n=4):
    return torch.randn(n, 3, 8, 8, generator=make_generator(0))


def test_parts_are_applied_in_order():
    cut = dict(type="DiffAugment", policy=["cutout"])
    last_cut = ComposeAugments([COLOUR, cut])(noise(), make_generator(1))
    last_colour = ComposeAugments([cut, COLOUR])(noise(), make_generator(1))
    assert (last_cut == 0).flatten(1).any(1).all()
    assert not (last_colour == 0).flatten(1).any(1).any()


def test_every_part_observes_pairs_and_reports():
    augment = ComposeAugments(
        [
            dict(type="ADA", adapt=dict(logit="a.logit", interval=1, kimg=0.1)),
            dict(type="APA", p=1.0, adapt=dict(logit="b.logit", interval=1, kimg=0.1)),
        ]
    )
    assert augment.reads == ("a.logit", "b.logit")
    scores = {"a.logit": torch.ones(10), "b.logit": -torch.ones(10)}
    augment.observe(scores, scores)
    report = {name: float(value) for name, value in augment.report().items()}
    assert report == pytest.approx({"ada_p": 0.1, "ada_overfitting": 1, "apa_p": 0.9, "apa_overfitting": -1})
    real, fake = (GANBatch(image, Condition()) for image in (noise(200), 0 * noise(200)))
    shown, _ = augment.pair(real, fake, make_generator(2))
    assert float((shown.image == 0).flatten(1).all(1).float().mean()) == pytest.approx(0.9, abs=0.07)
    assert {"part_modules.0.probability.p", "part_modules.1.probability.p"} <= augment.state_dict().keys()


def test_same_draw_holds_for_all_parts():
    image = noise()
    parts = [COLOUR, dict(type="FlipAndShift")]
    first, second = ComposeAugments(parts, same_draw=True).both(image, image, make_generator(1))
    assert first.equal(second)
    with pytest.raises(ValueError, match="same_draw=True of DiffAugment would not reach it"):
        ComposeAugments([{**COLOUR, "same_draw": True}])


def test_the_part_that_needs_the_largest_images_is_named():
    augment = AUGMENTS.build(dict(type="ComposeAugments", augments=[COLOUR, dict(type="ADA")]))
    with pytest.raises(ValueError, match=r"ADA: images of 4 x 4.*smallest it takes is 8 x 8"):
        augment(torch.zeros(1, 3, 4, 4), make_generator(0))
    with pytest.raises(ValueError, match="at least one augmentation"):
        ComposeAugments([])


def test_the_base_changes_nothing():
    image, scores = noise(), {}
    augment = Augment()
    augment.observe(scores, scores)
    assert augment(image, make_generator(0)).equal(image)
    assert augment.report() == {}
    assert augment.state_dict() == {}
