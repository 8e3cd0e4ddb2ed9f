"""Whole steps of methods with several heads: InfoGAN, twin classifiers, ADC over proxies."""

import pytest
import torch

from mmcgan.models.gan import ConditionalGAN
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.structures import Condition
from tests.test_models.stand_ins import batch, config

ADVERSARIAL = dict(type="HingeLoss")
SIZES = {"discrete": dict(codes=1, values=3), "continuous": dict(codes=0, continuous=2)}
SIZES["both"] = dict(codes=1, values=3, continuous=2)
CODE_HEADS = {
    "discrete": dict(type="DiscreteCodeHead", codes=1, values=3, spectral_norm=False),
    "continuous": dict(type="ContinuousCodeHead", codes=2, spectral_norm=False),
}
CODE_LOSSES = {"discrete": "CategoricalCodeLoss", "continuous": "GaussianCodeLoss"}


def optimizers(model, adopts=(), lr=0.02):
    adam = dict(optimizer=dict(type="Adam", lr=lr, betas=(0.5, 0.9)))
    return GANOptimWrapperConstructor(dict(generator={**adam, "adopts": adopts}, discriminator=adam))(model)


def info_config(kind):
    """Return an InfoGAN on a small DCGAN with the codes of ``kind``."""
    kinds = ("discrete", "continuous") if kind == "both" else (kind,)
    width = {"discrete": 3, "continuous": 2, "both": 5}[kind]
    return dict(
        generator=dict(
            type="CodedGenerator",
            generator=dict(
                type="DCGANGenerator", image_size=16, num_classes=0, base_channels=4, latent_dim=6
            ),
            code_dim=width,
        ),
        discriminator=dict(
            backbone=dict(type="DCGANBackbone", image_size=16, base_channels=4),
            heads=dict(adv=dict(type="AdversarialHead"), **{f"{k}_code": CODE_HEADS[k] for k in kinds}),
        ),
        losses=dict(
            adversarial=ADVERSARIAL,
            **{k: dict(type=CODE_LOSSES[k], weights=dict(generated=1.0)) for k in kinds},
        ),
        condition_sampler=dict(type="UniformLabel", num_classes=3),
        latent_sampler=dict(type="CodedLatent", **SIZES[kind]),
        ema=False,
    )


@pytest.mark.parametrize("kind", SIZES)
def test_code_heads_learn_in_the_generators_step_and_teach_it_to_show_the_codes(kind):
    torch.manual_seed(0)
    settings = info_config(kind)
    model = ConditionalGAN(**settings)
    names = [name for name in settings["discriminator"]["heads"] if name != "adv"]
    step = optimizers(model, [f"discriminator.heads.{name}.*" for name in names])
    own = [p for name in names for p in model.discriminator.heads[name].parameters()]
    assert all(any(p is q for q in step["generator"].parameters()) for p in own)
    data = {"image": torch.randint(0, 256, (16, 3, 16, 16), dtype=torch.uint8), "label": torch.arange(16) % 3}
    before = [p.detach().clone() for p in own]
    log = model.train_step(data, step)
    assert not any(torch.equal(p, old) for p, old in zip(own, before, strict=True))
    assert {f"g_{name.removesuffix('_code')}_generated" for name in names} <= log.keys()
    terms = model.generator_terms(model.data_preprocessor(data), step["generator"])
    code_terms = [terms[f"{name.removesuffix('_code')}_generated"] for name in names]
    (gradient,) = torch.autograd.grad(sum(code_terms), model.generator.mix.weight)
    assert (gradient[:, 6:].abs().sum(0) > 0).all()


def test_the_codes_of_a_step_are_those_the_images_were_made_from(monkeypatch):
    model = ConditionalGAN(**info_config("both"))
    fake = model.make_fakes("generator", 8)
    named = model._named(fake, {})
    assert torch.equal(named["latent.discrete"], fake.latent[:, 6:9].argmax(1, keepdim=True))
    assert torch.equal(named["latent.continuous"], fake.latent[:, 9:])


def test_truncation_leaves_the_codes_alone():
    model = ConditionalGAN(**info_config("discrete")).eval()
    seen = []
    model.generator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    latent = model.draw(6)[0]
    model.sample(Condition(label=torch.zeros(6, dtype=torch.int64)), latent, truncation=0.1)
    assert seen[0][:, :6].abs().max() <= 0.1
    assert torch.equal(seen[0][:, 6:], latent[:, 6:])


def test_a_code_loss_that_would_need_codes_of_real_images_is_refused():
    settings = info_config("discrete")
    inputs = dict(logits="discrete_code.logits", label="latent.discrete")
    settings["losses"]["discrete"] = dict(type="CrossEntropyLoss", inputs=inputs, weights=dict(generated=1.0))
    with pytest.raises(ValueError, match=r"looks at real images, which have no 'latent\.discrete'"):
        ConditionalGAN(**settings)


def test_a_code_that_is_not_drawn_is_refused():
    settings = info_config("discrete")
    settings["latent_sampler"] = dict(type="CodedLatent", codes=0, continuous=3)
    with pytest.raises(
        ValueError, match=r"asks for 'latent.discrete', which nothing emits.*latent.continuous"
    ):
        ConditionalGAN(**settings)


def twin_config(inputs):
    heads = dict(
        adv=dict(type="LabelledHead"),
        cls=dict(type="ClassifierHead", num_classes=3, spectral_norm=False),
        twin=dict(type="ClassifierHead", num_classes=3, spectral_norm=False),
    )
    twin = dict(type="CrossEntropyLoss", inputs=inputs, weights=dict(fake=1.0, generated=-1.0))
    return config(
        discriminator=dict(backbone=dict(type="LinearBackbone"), heads=heads),
        losses=dict(
            adversarial=ADVERSARIAL,
            cls=dict(type="CrossEntropyLoss", weights=dict(real=1.0, generated=1.0)),
            twin=twin,
        ),
    )


@pytest.mark.parametrize(("source", "learns"), [("twin.logits", True), ("cls.logits", False)])
def test_a_twin_trains_on_its_own_branch_and_only_wiring_repeats_the_peers_fault(source, learns):
    torch.manual_seed(0)
    model = ConditionalGAN(**twin_config(dict(logits=source, label="cond.label")))
    twin = model.discriminator.heads["twin"].linear.weight
    before = twin.detach().clone()
    log = model.train_step(batch(8), optimizers(model))
    assert torch.equal(twin, before) is not learns
    assert log["d_twin_fake"] > 0 > log["g_twin_generated"]
    assert "d_twin_real" not in log


def test_the_twin_learns_from_generated_images_only():
    torch.manual_seed(0)
    model = ConditionalGAN(**twin_config(dict(logits="twin.logits", label="cond.label")))
    twins = []
    for seed in (0, 1):
        step = optimizers(model, lr=0.0)
        model.random.start(0)
        with torch.enable_grad():
            terms = model.discriminator_terms(model.data_preprocessor(batch(8, seed)), step["discriminator"])
        (gradient,) = torch.autograd.grad(terms["twin_fake"], model.discriminator.heads["twin"].linear.weight)
        twins.append(gradient)
    assert torch.allclose(twins[0], twins[1]) and twins[0].abs().max() > 0


def test_adc_over_proxies_tells_real_from_generated_proxies():
    torch.manual_seed(0)
    inputs = dict(embed="cls.embed", label="cond.label", iteration="train.iteration")
    head = dict(type="DiscriminativeProxyHead", num_classes=3, embed_dim=4, spectral_norm=False)
    weights = dict(real=dict(real=1.0, generated=1.0), fake=dict(fake=1.0, generated=-1.0))
    losses = {
        name: dict(type="D2DCELoss", inputs={**inputs, "proxy": f"cls.{proxy}"}, weights=weights[name])
        for name, proxy in (("real", "proxy"), ("fake", "fake_proxy"))
    }
    settings = config(losses=dict(adversarial=ADVERSARIAL, **losses))
    settings["discriminator"] = dict(
        backbone=dict(type="LinearBackbone"), heads=dict(adv=dict(type="LabelledHead"), cls=head)
    )
    model = ConditionalGAN(**settings)
    table = model.discriminator.heads["cls"].embed.weight
    terms = model.discriminator_terms(model.data_preprocessor(batch(8)), optimizers(model)["discriminator"])
    rows = [torch.autograd.grad(terms[f"{n}_{n}"], table, retain_graph=True)[0] for n in ("real", "fake")]
    assert rows[0][1::2].abs().max() == 0 and rows[1][0::2].abs().max() == 0
    assert rows[0][0::2].abs().max() > 0 and rows[1][1::2].abs().max() > 0
