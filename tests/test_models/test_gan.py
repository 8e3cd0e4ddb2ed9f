"""The training step: what moves when, and that its options mean what they say."""

import pytest
import torch
from torch import nn

from mmcgan.losses.base import PairedLoss
from mmcgan.models import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import LOSSES, REGULARIZERS
from mmcgan.regularizers import Regularizer
from mmcgan.structures import Condition
from tests.test_models.stand_ins import batch, config


def make(lr=0.1, **changes):
    """Return a model with fixed weights and plain gradient descent for both players."""
    torch.manual_seed(0)
    model = ConditionalGAN(**config(**changes))
    section = dict(optimizer=dict(type="SGD", lr=lr))
    return model, GANOptimWrapperConstructor(dict(generator=section, discriminator=section))(model)


def state(module):
    """Return a copy of all weights."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first, second, atol=0.0):
    """Return whether two states agree."""
    return all(torch.allclose(first[name], second[name], rtol=0, atol=atol) for name in first)


def test_one_iteration_moves_both_players_and_names_its_terms():
    model, optimizers = make()
    before_g, before_d = state(model.generator), state(model.discriminator)
    log = model.train_step(batch(4), optimizers)
    assert set(log) == {"d_adversarial_real", "d_adversarial_fake", "g_adversarial_generated"}
    assert all(torch.isfinite(value) and not value.requires_grad for value in log.values())
    assert not same(before_g, state(model.generator))
    assert not same(before_d, state(model.discriminator))
    assert model.iteration == 1


def test_each_player_learns_only_in_its_own_step():
    model, optimizers = make()
    before = state(model.generator)
    model._update(
        "discriminator",
        [lambda o: model.discriminator_terms(model.data_preprocessor(batch(4)), o)],
        optimizers,
    )
    assert same(before, state(model.generator))
    before = state(model.discriminator)
    model._update(
        "generator", [lambda o: model.generator_terms(model.data_preprocessor(batch(4)), o)], optimizers
    )
    assert same(before, state(model.discriminator))
    assert all(parameter.requires_grad for parameter in model.discriminator.parameters())


@pytest.mark.parametrize(
    ("step", "passes"),
    [
        (dict(split_d=True), [4, 4, 4]),
        (dict(split_d=False), [8, 4]),
        (dict(n_critic=2, split_d=False), [4, 4, 2]),
        (dict(n_critic=2, d_accumulation=2, g_accumulation=3, split_d=False), [2, 2, 2, 2, 1, 1, 1]),
        (dict(generator_batch_size=7), [4, 4, 7]),
    ],
)
def test_mini_batches_of_one_iteration(step, passes):
    model, optimizers = make(step=step)
    model.train_step(batch(4), optimizers)
    assert model.discriminator.backbone.passes == passes


def test_one_and_two_passes_agree_without_batch_statistics():
    results = []
    for split in (True, False):
        model, optimizers = make(step=dict(split_d=split, real_first=split))
        model.train_step(batch(4), optimizers)
        results.append(state(model))
    assert same(*results, atol=1e-7)


def test_accumulating_four_small_batches_equals_one_large_batch_in_the_discriminator():
    results = []
    for parts in (1, 4):
        model, optimizers = make(
            step=dict(d_accumulation=parts, generator_batch_size=8),
            losses=dict(adversarial=dict(type="HingeLoss", weights=dict(real=1.0, generated=1.0))),
        )
        model.train_step(batch(8), optimizers)
        results.append(state(model.discriminator))
    assert same(*results, atol=1e-7)


def test_the_same_seed_and_iteration_draw_the_same_fakes_and_other_iterations_others():
    model, _ = make()
    first = model.draw(5)
    model.random.start(0)
    again = model.draw(5)
    model.random.start(1)
    later = model.draw(5)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1].label, again[1].label)
    assert not torch.equal(first[0], later[0])


def test_two_ranks_together_draw_what_one_process_draws(monkeypatch):
    model, _ = make()
    whole, condition = model.draw(6)
    for rank in range(2):
        monkeypatch.setattr("mmcgan.distributed.get_dist_info", lambda rank=rank: (rank, 2))
        model.random.start(0)
        rows, labels = model.draw(3)
        assert torch.equal(rows, whole[rank::2]) and torch.equal(labels.label, condition.label[rank::2])


def test_indivisible_batch_says_what_to_change():
    model, optimizers = make(step=dict(n_critic=3))
    with pytest.raises(ValueError, match=r"4 images cannot be cut into 3 .*train_dataloader.batch_size"):
        model.train_step(batch(4), optimizers)


def test_missing_label_is_reported_before_any_head_runs():
    model, optimizers = make()
    with pytest.raises(ValueError, match=r"heads need condition\.\['label'\]"):
        model.train_step({"image": batch(4)["image"]}, optimizers)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (dict(a=dict(type="HingeLoss", inputs=dict(logit="adv.logits"))), "Did you mean 'adv.logit'"),
        (
            dict(a=dict(type="HingeLoss", inputs=dict(logits="adv.logit"))),
            "no input 'logits'. Did you mean 'logit'",
        ),
        (dict(a=dict(type="CrossEntropyLoss")), "'cls.logits', which nothing emits"),
        (dict(a=dict(type="HingeLoss", weights=dict(fakes=1.0))), "no view 'fakes'. Did you mean 'fake'"),
        (dict(a=dict(type="HingeLoss", weights=dict(real=1.0))), "none acts in the generator's step"),
        (dict(a=dict(type="HingeLos")), "no component named 'HingeLos'. Did you mean 'HingeLoss'"),
    ],
)
def test_wiring_mistakes_fail_at_build_and_list_the_choices(losses, message):
    with pytest.raises((ValueError, KeyError)) as caught:
        make(losses=losses)
    assert message in str(caught.value)


def test_weights_scale_and_switch_views():
    plain, optimizers = make(lr=0.0)
    log = plain.train_step(batch(4), optimizers)
    weighted, optimizers = make(
        lr=0.0, losses=dict(adversarial=dict(type="HingeLoss", weights=dict(real=2.0, generated=-1.0)))
    )
    other = weighted.train_step(batch(4), optimizers)
    assert set(other) == {"d_adversarial_real", "g_adversarial_generated"}
    assert other["d_adversarial_real"] == pytest.approx(2 * log["d_adversarial_real"].item())
    assert other["g_adversarial_generated"] == pytest.approx(-log["g_adversarial_generated"].item())


@LOSSES.register_module(force=True)
class RelativisticStandIn(PairedLoss):
    """Real logits take part in the generator's step, paired with fakes."""

    default_inputs = {"logit": "adv.logit"}
    input_names = ("logit",)
    needs_real_in_generator_step = True

    def discriminator(self, real, fake):
        """Return mean softplus of (fake - real)."""
        return nn.functional.softplus(fake["logit"] - real["logit"]).mean()

    def generator(self, fake, real):
        """Return mean softplus of (real - fake)."""
        return nn.functional.softplus(real["logit"] - fake["logit"]).mean()


def test_a_paired_loss_sees_real_scores_in_the_generator_step():
    model, optimizers = make(losses=dict(pair=dict(type="RelativisticStandIn")))
    log = model.train_step(batch(4), optimizers)
    assert set(log) == {"d_pair_discriminator", "g_pair_generator"}
    assert model.discriminator.backbone.passes == [4, 4, 4, 4]


@REGULARIZERS.register_module(force=True)
class CountingRegularizer(Regularizer):
    """A constant, and a record of when it was asked."""

    def forward(self, context):
        """Return one."""
        self.calls = [*getattr(self, "calls", []), int(context.random.iteration)]
        return context.fake_scores["adv.logit"].sum() * 0 + 1.0


def test_lazy_regulariser_acts_at_its_interval_with_the_interval_as_gain():
    model, optimizers = make(
        regularizers=dict(count=dict(type="CountingRegularizer", on="discriminator", weight=0.5, interval=3))
    )
    logs = [model.train_step(batch(4), optimizers) for _ in range(7)]
    assert model.regularizers["count"].calls == [0, 3, 6]
    assert logs[3]["d_count"] == pytest.approx(1.5)
    assert "d_count" not in logs[1]


def test_frozen_parameters_stay_and_adopted_ones_learn_with_the_generator():
    torch.manual_seed(0)
    model = ConditionalGAN(**config())
    section = dict(optimizer=dict(type="SGD", lr=0.1))
    rules = {"discriminator.backbone.*": dict(freeze=True)}
    optimizers = GANOptimWrapperConstructor(
        dict(
            generator={**section, "adopts": ["discriminator.heads.*"]}, discriminator={**section, "rules": {}}
        )
    )(model)
    heads = state(model.discriminator.heads)
    model._update(
        "discriminator",
        [lambda o: model.discriminator_terms(model.data_preprocessor(batch(4)), o)],
        optimizers,
    )
    assert same(heads, state(model.discriminator.heads))
    model._update(
        "generator", [lambda o: model.generator_terms(model.data_preprocessor(batch(4)), o)], optimizers
    )
    assert not same(heads, state(model.discriminator.heads))
    frozen = GANOptimWrapperConstructor(dict(generator=section, discriminator={**section, "rules": rules}))(
        model
    )
    backbone = state(model.discriminator.backbone)
    model.train_step(batch(4), frozen)
    assert same(backbone, state(model.discriminator.backbone))


def test_samples_come_from_the_average_in_evaluation_mode_and_ask_for_a_source_of_z():
    model, optimizers = make()
    condition = Condition(label=torch.tensor([0, 1]))
    first = model.sample(condition, generator=torch.Generator().manual_seed(1))
    model.train_step(batch(4), optimizers)
    assert torch.equal(first, model.sample(condition, generator=torch.Generator().manual_seed(1)))
    moved = model.sample(condition, generator=torch.Generator().manual_seed(1), use_ema=False)
    assert not torch.equal(first, moved)
    assert model.generator.training
    model.train()
    assert not model.generator_ema.training
    with pytest.raises(ValueError, match=r"latent or a torch\.Generator"):
        model.sample(condition)


def test_truncation_bounds_the_latent():
    model, _ = make()
    seen = []
    model.generator_ema.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    condition = Condition(label=torch.zeros(200, dtype=torch.int64))
    model.sample(condition, generator=torch.Generator().manual_seed(0), truncation=0.5)
    assert seen[0].abs().max() <= 0.5
    assert seen[0].std() > 0.2


def test_seed_and_iteration_travel_with_the_checkpoint():
    model, optimizers = make()
    model.random.seed = 7
    model.train_step(batch(4), optimizers)
    other, _ = make()
    other.load_state_dict(model.state_dict())
    assert (other.random.seed, other.iteration) == (7, 1)
    assert torch.equal(model.draw(3)[0], other.draw(3)[0])


@pytest.mark.parametrize("split", [True, False])
def test_unlabelled_images_train_beside_fakes_that_carry_a_label(split):
    model, optimizers = make(
        step=dict(split_d=split),
        discriminator=dict(
            backbone=dict(type="LinearBackbone"), heads=dict(adv=dict(type="AdversarialHead"))
        ),
    )
    log = model.train_step({"image": batch(4)["image"]}, optimizers)
    assert all(torch.isfinite(value) for value in log.values())


@pytest.mark.parametrize("split", [True, False])
def test_a_head_that_needs_labels_says_so_on_unlabelled_images(split):
    model, optimizers = make(step=dict(split_d=split))
    with pytest.raises(ValueError, match=r"need condition.\['label'\]"):
        model.train_step({"image": batch(4)["image"]}, optimizers)


def test_the_generators_step_can_have_real_images_of_its_own():
    real_seen = []

    @LOSSES.register_module(force=True)
    class SeesReal(PairedLoss):
        input_names = ("logit", "image")
        default_inputs = {"logit": "adv.logit", "image": "image"}
        needs_real_in_generator_step = True

        def discriminator(self, real, fake):
            real_seen.append(("D", real["image"].detach().clone()))
            return real["logit"].mean()

        def generator(self, fake, real):
            real_seen.append(("G", real["image"].detach().clone()))
            return fake["logit"].mean()

    for generator_real, parts in (("shared", 2), ("own", 4)):
        real_seen.clear()
        step = dict(d_accumulation=2, g_accumulation=2, generator_real=generator_real)
        model, optimizers = make(step=step, losses=dict(seen=dict(type="SeesReal")))
        assert model.step.real_mini_batches == parts
        data = batch(2 * parts)
        model.train_step(data, optimizers)
        shown = {who: torch.cat([image for name, image in real_seen if name == who]) for who in "DG"}
        expected = model.data_preprocessor(data).image
        assert torch.equal(shown["D"], expected[:4])  # the same images, not a computation
        if generator_real == "own":
            assert torch.equal(shown["G"], expected[4:])
    with pytest.raises(ValueError, match=r"generator_real must be one of \['shared', 'own'\], got 'new'"):
        make(step=dict(generator_real="new"))


@pytest.mark.parametrize("kind", ["R1", "R2"])
def test_a_penalty_of_the_steps_own_scores_equals_one_of_a_second_pass(kind):
    """Without augmentation and in one pass each, both differentiate the same function."""
    moved = []
    for reuse in (True, False):
        penalty = dict(type=kind, weight=3.0, reuse_scores=reuse)
        model, optimizers = make(regularizers=dict(penalty=penalty), step=dict(split_d=True))
        log = model.train_step(batch(4), optimizers)
        moved.append((log["d_penalty"], state(model.discriminator)))
    assert moved[0][0] > 0
    assert torch.allclose(moved[0][0], moved[1][0], rtol=1e-4)
    assert same(moved[0][1], moved[1][1], atol=1e-5)
