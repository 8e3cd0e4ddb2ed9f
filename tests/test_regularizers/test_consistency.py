"""Consistency: closed forms, which outputs and images are compared, settings."""

from dataclasses import replace

import pytest
import torch

from mmcgan.augments.base import Augment
from mmcgan.registry import AUGMENTS
from mmcgan.regularizers import ImageConsistency, LatentConsistency, LatentDiversity
from tests.test_regularizers.toy import ToyGenerator, ToyScore, context


@AUGMENTS.register_module(force=True)
class Halved(Augment):
    """Halves an image."""

    def forward(self, image, generator):
        """Return half of it."""
        return image / 2


HALVED = {"type": "Halved"}


def distance(score, batch, name="adv.logit"):
    """Return the mean squared difference of an output between images and their halves."""
    first, second = (score(image, batch.condition)[name] for image in (batch.image, batch.image / 2))
    return (first - second).square().mean()


def test_cr_compares_real_images_with_their_transformed_selves():
    given, score = context(), ToyScore()
    value = ImageConsistency(real=10.0, transform=HALVED)(given)
    assert value.item() == pytest.approx(10 * distance(score, given.real).item())


def test_bcr_adds_generated_images_and_other_outputs():
    given, score = context(), ToyScore()
    value = ImageConsistency(real=2.0, fake=3.0, outputs=["adv.logit", "cls.embed"], transform=HALVED)(given)
    real, fake = (
        sum(distance(score, batch, name) for name in ("adv.logit", "cls.embed"))
        for batch in (given.real, given.fake)
    )
    assert value.item() == pytest.approx((2 * real + 3 * fake).item())


def test_without_a_factor_for_fakes_they_are_not_scored_again():
    score = ToyScore()
    given = context(score)
    before = len(score.images)
    ImageConsistency(transform=HALVED)(given)
    assert len(score.images) == before + 1 and score.augmented[-1]


def test_the_usual_transform_moves_pixels_and_repeats_within_an_iteration():
    images = torch.arange(4 * 3 * 16 * 16, dtype=torch.float64).view(4, 3, 16, 16) / 4096
    seen = []
    for _ in range(2):
        score = ToyScore(torch.ones(3 * 16 * 16, dtype=torch.float64))
        given = replace(context(), real=context(images=images[..., :3, :3]).real, score=score)
        given = replace(given, real=type(given.real)(images, given.real.condition))
        given = replace(given, real_scores=score(images, given.real.condition))
        ImageConsistency()(given)
        seen.append(score.images[-1])
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], images)
    assert set(seen[0].flatten().tolist()) <= set(images.flatten().tolist())


def test_zcr_of_the_discriminator_compares_a_latent_with_its_neighbour():
    score, generator = ToyScore(), ToyGenerator()
    given = context(score, generator)
    value = LatentConsistency(noise=0.5)(given)
    moved = score.images[-1]
    assert not torch.allclose(moved, given.fake.image)
    expected = score(moved, given.fake.condition)["adv.logit"] - given.fake_scores["adv.logit"]
    assert value.item() == pytest.approx(expected.square().mean().item())
    near = LatentConsistency(noise=1e-6)(context())
    assert near.item() < 1e-9 < value.item()


def test_zcr_of_the_generator_is_minus_the_distance_of_the_images():
    generator = ToyGenerator()
    given = context(generator=generator)
    value = LatentDiversity(noise=0.5)(given)
    assert value.item() < 0
    assert generator.calls == 2
    assert abs(LatentDiversity(noise=1e-6)(context()).item()) < 1e-9


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ImageConsistency(real=-1.0), "real and fake must not be negative"),
        (lambda: ImageConsistency(real=0.0), "nor both 0"),
        (lambda: ImageConsistency(outputs=[]), "outputs must be a list of named tensors"),
        (lambda: ImageConsistency(on="generator"), "on='generator' is not possible"),
        (lambda: LatentConsistency(noise=0.0), "LatentConsistency: noise must be greater than 0, got 0.0"),
        (lambda: LatentDiversity(noise=-1.0), "LatentDiversity: noise must be greater than 0"),
    ],
)
def test_bad_settings_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
