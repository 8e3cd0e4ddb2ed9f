"""Training on label maps: conditions, order of the players, encoder, lists of inputs."""

import pytest
import torch

from mmcgan.models import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.registry import DATASETS

SET = dict(type="SyntheticLabelMaps", num_map_classes=3, image_size=32, has_edges=True)
PATCHES = ["patch_0.logit", "patch_1.logit"]
SCALES = {0: "map", 1: "map_1"}


def make(losses=None, pixels=False, encoder=None, **changes):
    """Return a tiny model on label maps and its optimisers."""
    torch.manual_seed(0)
    kind = dict(type="PixelClassHead", num_map_classes=3, extra=2) if pixels else dict(type="PatchHead")
    latent = dict(latent_dim=4, encoder=encoder) if encoder else {}
    generator = dict(type="SPADEGenerator", image_size=32, num_map_classes=3, has_edges=True)
    model = ConditionalGAN(
        generator=dict(**generator, base_channels=1, hidden_channels=4, **latent),
        discriminator=dict(
            backbone=dict(
                type="PatchBackbone",
                num_map_classes=0 if pixels else 3,
                has_edges=True,
                base_channels=2,
                num_layers=2,
            ),
            heads={
                f"{'pixel' if pixels else 'patch'}_{i}": dict(**kind, feature=name, kernel_size=4)
                for i, name in SCALES.items()
            },
        ),
        losses=losses or dict(adversarial=dict(type="HingeLoss", inputs=dict(logit=PATCHES))),
        condition_sampler=dict(type="RealCondition", dataset=SET),
        **changes,
    )
    section = dict(optimizer=dict(type="SGD", lr=0.05))
    return model, GANOptimWrapperConstructor(dict(generator=section, discriminator=section))(model)


def data(size=4):
    return DATASETS.build(dict(SET)).__getitems__(range(size))


def record(model):
    """Return lists that fill with the label maps asked of G and with whose turn it is."""
    asked, turns = [], []
    model.generator.register_forward_hook(lambda m, inputs, out: asked.append(inputs[1].label_map))
    for role in ("generator", "discriminator"):
        original = getattr(model, f"{role}_terms")
        setattr(
            model,
            f"{role}_terms",
            lambda real, optimizer, f=original, r=role: turns.append(r) or f(real, optimizer),
        )
    return asked, turns


def test_fakes_show_the_maps_of_the_real_images_they_are_compared_with():
    model, optimizers = make(step=dict(n_critic=2))
    asked, _ = record(model)
    batch = data()
    model.train_step(batch, optimizers)
    halves = batch["label_map"].split(2)
    assert [torch.equal(a, b) for a, b in zip(asked, [*halves, halves[1]], strict=True)] == [True] * 3


def test_the_generator_may_go_first():
    for first, expected in ((True, ["generator", "discriminator"]), (False, ["discriminator", "generator"])):
        model, optimizers = make(step=dict(generator_first=first))
        _, turns = record(model)
        model.train_step(data(2), optimizers)
        assert turns == expected


def test_a_list_of_inputs_is_averaged():
    model, _ = make()
    batch = model.data_preprocessor(data(2))
    scores = model._named(batch, model.score(batch.image, batch.condition))
    (loss,) = model.losses
    expected = torch.stack([torch.relu(1 - scores[name]).mean() for name in PATCHES]).mean()
    torch.testing.assert_close(loss.discriminator(scores, scores)["adversarial_real"], expected)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (dict(logit=["patch_0.logit", "patch_2.logit"]), "asks for 'patch_2.logit', which nothing emits"),
        (dict(logit=[]), "lists of inputs must have one length of at least 1, got {'logit': 0}"),
    ],
)
def test_a_bad_list_of_inputs_is_named(inputs, message):
    with pytest.raises(ValueError, match=message):
        make(losses=dict(adversarial=dict(type="HingeLoss", inputs=inputs)))


def test_the_per_pixel_omni_loss_trains_both_players():
    score = ["pixel_0.logits", "pixel_1.logits"]
    losses = dict(omni=dict(type="OmniLoss", inputs=dict(score=score, label_map="cond.label_map")))
    model, optimizers = make(losses, pixels=True, step=dict(split_d=False))
    batch = data()
    logs = [model.train_step(batch, optimizers) for _ in range(12)]
    assert logs[-1]["d_omni_real"] < logs[0]["d_omni_real"]
    assert all(torch.isfinite(value) for value in logs[-1].values())


def test_an_encoder_learns_in_the_generators_step_alone():
    losses = dict(
        adversarial=dict(type="HingeLoss", inputs=dict(logit=PATCHES)),
        law=dict(type="LatentLawLoss", weights=0.05),
    )
    model, optimizers = make(losses, encoder=dict(base_channels=2, side=8))
    batch = model.data_preprocessor(data(2))
    weight = model.generator.encoder.mean.weight
    before = weight.clone()
    model._update("discriminator", [lambda o: model.discriminator_terms(batch, o)], optimizers)
    assert torch.equal(weight, before)
    fake = model.make_fakes("generator", 2, batch)
    assert sorted(fake.law) == ["log_variance", "mean"] and fake.latent.requires_grad
    model._update("generator", [lambda o: model.generator_terms(batch, o)], optimizers)
    assert not torch.equal(weight, before)


def test_a_loss_of_a_latents_law_needs_an_encoder():
    with pytest.raises(ValueError, match=r"losses.law: input 'mean' asks for 'latent.mean'"):
        make(dict(law=dict(type="LatentLawLoss")))


def test_samples_come_from_maps_of_the_data_set():
    model, _ = make()
    condition = model.condition_sampler.sample(3, torch.Generator().manual_seed(0))
    image = model.sample(condition, generator=torch.Generator())
    assert image.shape == (3, 3, 32, 32)
    known = DATASETS.build(dict(SET)).__getitems__(range(16))["label_map"]
    assert all(any(torch.equal(m, k) for k in known) for m in condition.label_map)
