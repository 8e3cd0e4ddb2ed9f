"""The discriminator's diagnostics: right figures, and a training that does not notice."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch.nn import functional as F

from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.config.tiny import load_tiny_config, run_tiny_step
from mmcgan.hooks import DiscriminatorDiagnosticsHook
from mmcgan.hooks.discriminator_measures import draw_fakes, measure, pairwise_difference, separation
from mmcgan.models import ConditionalGAN
from mmcgan.models.heads import (
    DiscreteCodeHead,
    DiscriminativeClassifierHead,
    FakeClassHead,
    OmniHead,
    ProjectionHead,
    ProxyHead,
)
from mmcgan.scalars import draw_curves, read_scalars
from mmcgan.structures import Condition, GANBatch
from tests.test_engine.test_resume import NOISE
from tests.test_engine.tiny_run import differences, tiny_config, train

CLASSES = dict(num_classes=10)
# heads of every kind, losses with memory and with pairs: whatever could be disturbed is here
RICH = {
    "model.discriminator.heads": dict(
        _delete_=True,
        adv=dict(type="AdversarialHead"),
        cls=dict(type="ClassifierHead", **CLASSES),
        proxy=dict(type="ProxyHead", embed_dim=6, **CLASSES),
    ),
    "model.losses": dict(
        _delete_=True,
        adversarial=dict(type="HingeLoss"),
        classification=dict(type="CrossEntropyLoss", weights=dict(real=1.0, generated=1.0)),
        d2d=dict(type="D2DCELoss", inputs=dict(embed="proxy.embed", proxy="proxy.proxy", label="cond.label")),
        lecam=dict(type="LeCamLoss"),
    ),
}
VALIDATION = dict(type="DigitsDataset", split="test", image_size=8)


def hook(**settings):
    return dict(type="DiscriminatorDiagnosticsHook", **settings)


# --- the training does not notice ----------------------------------------------------------------
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_measured_run_ends_in_the_same_bits(precision, tmp_path):
    changes = {**RICH, "optim_wrapper.precision": precision}
    train(tmp_path / "without", custom_hooks=NOISE, **changes)
    measured = [*NOISE, hook(interval=2, size=6, validation=VALIDATION)]
    runner = train(tmp_path / "with", custom_hooks=measured, **changes)
    assert runner.message_hub.get_info("diagnostics")["iteration"] == 6
    one, two = (load_checkpoint(tmp_path / name / "iter_6.pth") for name in ("without", "with"))
    for part in ("state_dict", "optimizer", "random"):
        assert differences(one[part], two[part]) == [], part
    assert any(name.startswith("generator_ema.") for name in one["state_dict"])
    assert all(parameter.grad is None for parameter in runner.model.parameters())
    assert all(parameter.requires_grad for parameter in runner.model.discriminator.parameters())
    assert not runner.model.discriminator.backbone._forward_hooks


@pytest.mark.parametrize("config", ["infogan_dcgan_digits-16", "mhgan_biggan_digits-16"])
def test_losses_that_read_codes_or_pairs_are_measured_too(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = load_tiny_config(config)
    tiny.custom_hooks = [hook(interval=1)]
    run_tiny_step(tiny)


# --- where the figures go ------------------------------------------------------------------------
def test_figures_are_logged_at_the_interval_and_can_be_plotted(tmp_path):
    train(tmp_path, custom_hooks=[hook(interval=3, validation=VALIDATION)], **RICH)
    series = read_scalars(tmp_path)
    keys = [f"diagnostics/adv.logit_{view}" for view in ("real", "fake", "validation")]
    for key in (
        *keys,
        "diagnostics/feature_norm_real",
        "diagnostics/cls.class_probability_real",
        "diagnostics/cls.class_probability_fake",
        "diagnostics/proxy.class_accuracy_real",
        "diagnostics/feature_gradient.d_classification_real",
        "diagnostics/weight_gradient.g_classification_generated",
        "diagnostics/diversity_fake",
    ):
        assert sorted(series[key]) == [1, 3, 6], key
    draw_curves({"run": series}, keys, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
    (log,) = tmp_path.glob("*/*.log")
    lines = [line for line in log.read_text().splitlines() if "Iter(train)" in line]
    assert lines and not any("feature_norm" in line for line in lines), "log lines stay short"


# --- what the figures are ------------------------------------------------------------------------
def measured_model(tmp_path, **changes):
    torch.manual_seed(0)
    model = ConditionalGAN(**{k: v for k, v in tiny_config(tmp_path, **changes).model.items() if k != "type"})
    generator = torch.Generator().manual_seed(1)
    batches = {
        view: GANBatch(
            torch.rand(6, 3, 8, 8, generator=generator) * 2 - 1,
            Condition(label=torch.randint(10, (6,), generator=generator)),
        )
        for view in ("real", "fake")
    }
    return model, batches


PLAIN_CLASSIFIER = {
    "model.discriminator.heads": dict(
        _delete_=True,
        adv=dict(type="AdversarialHead", spectral_norm=False),
        cls=dict(type="ClassifierHead", spectral_norm=False, bias=False, **CLASSES),
    ),
    "model.discriminator.backbone.spectral_norm": False,
    "model.losses.classification": dict(type="CrossEntropyLoss", weights=dict(real=2.0, generated=1.0)),
}


def test_gradients_follow_the_formula_of_the_softmax(tmp_path):
    """ReACGAN, Eq. 4: the gradient at w_k is -mean F(x)(1[y = k] - p_k), at F(x) W(p - 1[y])."""
    model, batches = measured_model(tmp_path, **PLAIN_CLASSIFIER)
    with torch.no_grad():
        pooled = model.discriminator.backbone(batches["real"].image)["pooled"]
        weight = model.discriminator.heads["cls"].linear.weight
        p = (pooled @ weight.T).softmax(1)
        wrong = p - F.one_hot(batches["real"].condition.label, 10)
    figures = measure(model, batches, nullcontext)
    expected = 2.0 * (wrong @ weight).norm(dim=1).mean()
    assert figures["feature_gradient.d_classification_real"] == pytest.approx(expected.item(), rel=1e-4)
    expected = 2.0 * (wrong.T @ pooled / 6).norm()
    assert figures["weight_gradient.d_classification_real"] == pytest.approx(expected.item(), rel=1e-4)
    assert figures["feature_norm_real"] == pytest.approx(pooled.norm(dim=1).mean().item(), rel=1e-5)
    right = p.gather(1, batches["real"].condition.label[:, None]).mean().item()
    assert figures["cls.class_probability_real"] == pytest.approx(right, rel=1e-4)
    assert "feature_gradient.d_classification_fake" not in figures, "this view has no weight"


@pytest.mark.parametrize("emitted", ["map", "pooled"])
def test_a_figure_of_a_feature_that_is_not_there_is_left_out(tmp_path, emitted):
    head = dict(type="PatchHead" if emitted == "map" else "AdversarialHead")
    model, batches = measured_model(tmp_path, **{"model.discriminator.heads": dict(_delete_=True, adv=head)})
    backbone = model.discriminator.backbone
    backbone.register_forward_hook(lambda module, given, found: {emitted: found[emitted]})
    backbone.emits = (emitted,)
    figures = measure(model, batches, nullcontext)
    assert ("feature_norm_real" in figures) == ("feature_norm_fake" in figures) == (emitted == "pooled")
    assert {"feature_gradient.d_adversarial_real", "diversity_real"} <= figures.keys()


def test_logits_and_separation_are_those_of_the_head(tmp_path):
    model, batches = measured_model(tmp_path, **PLAIN_CLASSIFIER)
    with torch.no_grad():
        model.discriminator.heads["adv"].linear.weight.fill_(1.0)
        scores = {view: model.score(b.image, b.condition)["adv.logit"] for view, b in batches.items()}
    figures = measure(model, batches, nullcontext)
    for view in ("real", "fake"):
        assert figures[f"adv.logit_{view}"] == pytest.approx(scores[view].mean().item(), rel=1e-5)
    wins = (scores["real"][:, None] > scores["fake"]).float().mean().item()
    assert figures["adv.separation"] == pytest.approx(wins)


def test_separation_is_the_chance_of_a_right_order():
    assert separation(torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0])) == 1
    assert separation(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])) == 0.5
    assert separation(torch.tensor([1.0]), torch.tensor([1.0])) == 0.5


def test_diversity_is_a_root_mean_square_difference(tmp_path):
    images = torch.tensor([0.0, 1.0, 1.0]).view(3, 1, 1, 1).expand(-1, 3, 4, 4)
    assert pairwise_difference(images) == pytest.approx(2 / 3)
    model, batches = measured_model(tmp_path)
    first = batches["fake"].image[:3]
    batches["fake"] = GANBatch(torch.cat([first, first + 0.5]), batches["fake"].condition)
    figures = measure(model, batches, nullcontext)
    assert figures["diversity_same_condition"] == pytest.approx(0.5, rel=1e-4)


def test_a_generator_deaf_to_its_latents_shows_no_diversity_within_a_condition(tmp_path, monkeypatch):
    model, batches = measured_model(tmp_path)
    figures = {}
    for name in ("deaf", "hearing"):
        if name == "hearing":
            monkeypatch.undo()
        else:
            monkeypatch.setattr(model.latent_sampler, "sample", lambda n, source: torch.zeros(n, 8))
        fake = draw_fakes(model, 5, torch.Generator().manual_seed(0))
        assert fake.condition.label[:2].tolist() == fake.condition.label[3:].tolist()
        real = batches["real"][:5]
        figures[name] = measure(model, {"real": real, "fake": fake}, nullcontext)["diversity_same_condition"]
    assert figures["deaf"] == 0
    assert figures["hearing"] > 1e-3


SCORES = torch.tensor([[1.0, 2.0, 3.0, 0.5], [0.0, -1.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    ("head", "outputs", "realness", "best"),
    [
        (ProjectionHead(4, 2), {"logit": SCORES[:, 0]}, [1.0, 0.0], None),
        (OmniHead(4, 2), {"score": SCORES}, [2.5, -1.0], [1, 0]),
        (FakeClassHead(4, 3), {"logits": SCORES}, [2.9076, -0.5924], [2, 2]),
        (DiscriminativeClassifierHead(4, 2), {"logits": SCORES}, [0.9252, -0.7353], [1, 1]),
        (DiscreteCodeHead(4, 2, 2), {"logits": SCORES.view(2, 2, 2)}, None, None),
    ],
)
def test_heads_say_what_is_real_and_which_class(head, outputs, realness, best):
    judged, scores = head.realness(outputs), head.class_scores(outputs)
    assert (judged is None) == (realness is None)
    assert realness is None or judged.tolist() == pytest.approx(realness, abs=1e-3)
    assert (scores is None) == (best is None)
    assert best is None or scores.argmax(1).tolist() == best


def test_a_proxy_head_compares_with_the_proxies_of_all_classes():
    head = ProxyHead(4, 3, embed_dim=2, spectral_norm=False)
    head.embed.weight.data = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    scores = head.class_scores({"embed": torch.tensor([[0.0, 5.0]]), "proxy": torch.zeros(1, 2)})
    assert torch.allclose(scores, torch.tensor([[0.0, 1.0, 0.0]]), atol=1e-6)


@pytest.mark.parametrize("settings", [dict(interval=0), dict(size=1)])
def test_bad_settings_are_named(settings):
    with pytest.raises(ValueError, match="interval must be >= 1 and size >= 2, got"):
        DiscriminatorDiagnosticsHook(**settings)
