"""Augmentations inside the training step: where they act, what they log, and that a run resumes exactly."""

import pytest
import torch

from mmcgan.augments import Augment
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.config.facts import fill_facts
from mmcgan.config.validate import find_problems
from mmcgan.models import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import AUGMENTS
from tests.test_config.examples import example, put
from tests.test_engine.tiny_run import differences, train
from tests.test_models.stand_ins import batch, config


@AUGMENTS.register_module(force=True)
class Witness(Augment):
    """Adds a random number to every image and remembers all that it is asked."""

    def __init__(self, same_draw=False):
        super().__init__(same_draw)
        self.added, self.seen = [], []

    def transform(self, image, draws):
        """Add one number an image."""
        self.added.append(draws.uniform("number")[:, None, None, None])
        return image + self.added[-1]

    def observe(self, real, fake):
        """Remember the logits."""
        self.seen.append((real["adv.logit"], fake["adv.logit"]))


def make(augment, **changes):
    torch.manual_seed(0)
    model = ConditionalGAN(**config(augment=augment, **changes))
    section = dict(optimizer=dict(type="SGD", lr=0.1))
    return model, GANOptimWrapperConstructor(dict(generator=section, discriminator=section))(model)


@pytest.mark.parametrize("split_d", [True, False])
def test_real_and_generated_images_of_both_steps_are_augmented(split_d):
    model, optimizers = make(dict(type="Witness"), step=dict(split_d=split_d))
    model.train_step(batch(4), optimizers)
    assert [len(added) for added in model.augment.added] == [4, 4, 4]
    assert [[len(logit) for logit in pair] for pair in model.augment.seen] == [[4, 4]]
    real, fake, generated = model.augment.added
    assert not real.equal(fake)
    assert not fake.equal(generated)


@pytest.mark.parametrize("split_d", [True, False])
def test_same_draw_is_shared_within_a_discriminator_step_only(split_d):
    model, optimizers = make(dict(type="Witness", same_draw=True), step=dict(split_d=split_d, n_critic=2))
    model.train_step(batch(8), optimizers)
    added = model.augment.added
    assert added[0].equal(added[1])
    assert added[2].equal(added[3])
    assert not added[0].equal(added[2])
    assert not added[2].equal(added[4])


def test_scores_without_augmentation_leave_the_images_alone():
    model, _ = make(dict(type="Witness"))
    data = model.data_preprocessor(batch(4))
    model.score(data.image, data.condition, augment=False)
    assert model.augment.added == []
    model.score(data.image, data.condition)
    assert len(model.augment.added) == 1


def test_pseudo_images_are_scored_under_the_condition_they_were_made_for():
    model, optimizers = make(dict(type="APA", p=1.0))
    seen = []
    forward = model.discriminator.forward
    model.discriminator.forward = lambda image, condition: (
        seen.append((image, condition)) or forward(image, condition)
    )
    model.train_step(batch(4), optimizers)
    (real, real_condition), (fake, fake_condition) = seen[:2]
    assert real.equal(fake)
    assert real_condition.label.equal(fake_condition.label)


def test_p_is_logged_and_adapts():
    model, optimizers = make(dict(type="APA", adapt=dict(interval=1, kimg=0.01)))
    with torch.no_grad():
        model.discriminator.backbone.linear.bias.fill_(9.0)
        model.discriminator.heads["adv"].table.weight.fill_(1.0)
    log = model.train_step(batch(4), optimizers)
    assert float(log["apa_overfitting"]) == 1
    assert float(log["apa_p"]) == pytest.approx(0.4)
    assert not {"apa_p", "apa_overfitting"} & set(make(dict(type="APA", p=0.5))[0].augment.report())


def test_a_tensor_that_nothing_emits_cannot_be_watched():
    with pytest.raises(ValueError, match=r"APA watches 'adv.logits', which nothing emits.*'adv.logit'"):
        make(dict(type="APA", adapt=dict(logit="adv.logits")))


def test_images_that_are_too_small_are_refused_at_build():
    with pytest.raises(ValueError, match="ADA: images of 4 x 4 are too small"):
        make(dict(type="ADA", p=0.5))


def test_the_config_is_checked_before_anything_is_built():
    augment = dict(type="ComposeAugments", augments=[dict(type="ADA", adapt=dict(logit="omni.logit"))])
    checked = example()
    put(checked, "model.augment", augment)
    fill_facts(checked)
    (problem,) = find_problems(checked)
    assert problem.path == "model.augment.augments.0"
    assert "ADA watches 'omni.logit', which nothing emits" in problem.message
    put(checked, "model.augment", dict(type="ADA", p=0.3))
    assert find_problems(checked) == []


ADAPTIVE = dict(
    type="ComposeAugments",
    augments=[
        dict(type="ADA", transforms=("bgcfnc",), p=0.4, adapt=dict(interval=2, kimg=0.1)),
        dict(type="APA", p=0.3, adapt=dict(interval=2, kimg=0.2, target=0.0)),
    ],
)


def test_a_resumed_run_has_the_same_weights_p_and_statistics(tmp_path):
    changes = {"model.augment": ADAPTIVE}
    train(tmp_path / "whole", **changes)
    train(tmp_path / "parts", **changes, train_cfg=dict(type="GANTrainLoop", max_iters=3, val_interval=3))
    train(tmp_path / "parts", **changes, resume=True)
    whole, parts = (load_checkpoint(tmp_path / name / "iter_6.pth") for name in ("whole", "parts"))
    assert differences(whole["state_dict"], parts["state_dict"]) == []
    middle = load_checkpoint(tmp_path / "parts" / "iter_3.pth")["state_dict"]
    for part, initial in enumerate((0.4, 0.3)):
        assert float(middle[f"augment.part_modules.{part}.probability.p"]) != pytest.approx(initial)
    # an interval of two steps is open after the third
    assert middle["augment.part_modules.0.probability.images"] > 0
