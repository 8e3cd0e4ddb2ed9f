"""StudioGAN's LOSS settings as configs of losses and regularisers, its recorded oddities included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mmcgan.losses import DiscriminativeClassifierLoss
from mmcgan.registry import LOSSES
from mmcgan.regularizers import Regularizer, StepContext
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.regularizers import (
    RecordedGradientPenalty,
    RecordedMaxGradientPenalty,
    RecordedPerturbationPenalty,
)
from tests.parity.checkers.studiogan_draws import (
    ReplayedLatentConsistency,
    ReplayedLatentDiversity,
    ReplayedLatentOptimization,
    draw_again,
    read_augment,
)
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported

Config = dict[str, Any]

ADVERSARIAL: dict[str, str] = {
    "vanilla": "NonSaturatingLoss",
    "logistic": "NonSaturatingLoss",
    "least_square": "LeastSquaresLoss",
    "hinge": "HingeLoss",
    "wasserstein": "WassersteinLoss",
}
CONDITIONINGS = ("W/O", "PD", "AC", "2C", "D2DCE", "MD", "MH")
LOSS_KEYS = {"adv_loss", "cond_lambda", "temperature", "m_p", "mh_lambda", "tac_dis_lambda", "tac_gen_lambda"}
LOSS_KEYS |= {"apply_r1_reg", "r1_place", "r1_lambda", "apply_fm", "fm_lambda"}
LOSS_KEYS |= {"apply_gp", "gp_lambda", "apply_maxgp", "maxgp_lambda", "apply_wc", "wc_bound"}
LOSS_KEYS |= {"apply_dra", "dra_lambda", "apply_topk", "topk_gamma", "topk_nu"}
LOSS_KEYS |= {"apply_cr", "cr_lambda", "apply_bcr", "real_lambda", "fake_lambda"}
LOSS_KEYS |= {"apply_zcr", "radius", "g_lambda", "d_lambda"}
LOSS_KEYS |= {"apply_lo", "lo_alpha", "lo_beta", "lo_rate", "lo_lambda", "lo_steps4train", "lo_steps4eval"}
LOSS_KEYS |= {"apply_lecam", "lecam_lambda", "lecam_ema_start_iter", "lecam_ema_decay"}
#: What the peer's averages hold before the first batch.
LECAM_INITIAL = 7777.0
#: iterations of an epoch that no case reaches the end of
ENDLESS = 1_000_000_000


class RealColumnLoss(DiscriminativeClassifierLoss):
    """ADC whose generator term is the real column alone; :class:`SecondOpinion` adds the other."""

    def generated(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the cross-entropy of generated images with the real column of their class."""
        return self.real(logits, label)


class SecondOpinion(Regularizer):
    """The peer scores generated images twice in ADC's generator step, which moves spectral norms twice.

    Args:
        rule: config of the loss over proxies; None for columns of logits.
    """

    def __init__(self, on: str, weight: float = 1.0, interval: int = 1, rule: Config | None = None) -> None:
        super().__init__(on, weight, interval)
        self.rule: Any = None if rule is None else LOSSES.build(rule)

    def forward(self, context: StepContext) -> Tensor:
        """Return minus the loss with the generated column or proxy, from a second pass."""
        fake = context.fake
        label = fake.condition.label
        assert label is not None
        scores = context.score(fake.image, fake.condition)
        if self.rule is None:
            return -F.cross_entropy(scores["cls.logits"], 2 * label + 1)
        return -self.rule.generated(scores["cls.embed"], scores["cls.fake_proxy"], label)


class FreshFeatureMatching(Regularizer):
    """The peer matches features with real images of another mini-batch, scored after the fakes."""

    batches: list[tuple[Tensor, Tensor]]

    def forward(self, context: StepContext) -> Tensor:
        """Return the mean absolute difference of mean features."""
        image, label = self.batches.pop(0)
        real = context.score(image, Condition(label=label))["feature.pooled"].detach()
        return (context.fake_scores["feature.pooled"].mean(0) - real.mean(0)).abs().mean()


def read_objectives(settings: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[Config, Config]:
    """Return loss and regulariser configs of the peer's LOSS and MODEL settings.

    Raises:
        Unsupported: a setting that is switched on and that we have no counterpart for.
    """
    unknown = {key for key, value in settings.items() if key not in LOSS_KEYS and value not in (False, "N/A")}
    if unknown:
        raise Unsupported(f"losses {sorted(unknown)}")
    losses = {"adversarial": _adversarial(settings)} | _conditional(settings, model)
    regularizers: Config = {}
    if settings.get("apply_lecam"):
        losses["lecam"] = {
            "type": "LeCamLoss",
            "decay": settings["lecam_ema_decay"],
            "start": settings["lecam_ema_start_iter"],
            "initial": LECAM_INITIAL,
            "weights": settings["lecam_lambda"],
        }
    if model.get("aux_cls_type") == "ADC":
        weight = settings.get("cond_lambda", 1.0)
        rule = _rules(settings)[model["d_cond_mtd"]] if model["d_cond_mtd"] != "AC" else None
        regularizers["second_opinion"] = {
            "type": SecondOpinion,
            "on": "generator",
            "weight": weight,
            "rule": rule,
        }
    if settings.get("apply_r1_reg"):
        if settings.get("r1_place", "inside_loop") != "inside_loop":
            raise Unsupported(f"r1_place={settings['r1_place']!r}")
        regularizers["r1"] = {"type": "R1", "weight": settings["r1_lambda"], "reuse_scores": True}
    regularizers |= _penalty(settings) | _consistency(settings, model) | _latent_steps(settings)
    if settings.get("apply_wc"):
        regularizers["clipping"] = {"type": "WeightClipping", "bound": settings["wc_bound"]}
    if settings.get("apply_fm"):
        weight = settings["fm_lambda"]
        regularizers["features"] = {"type": FreshFeatureMatching, "on": "generator", "weight": weight}
    return losses, regularizers


def _penalty(settings: Mapping[str, Any]) -> Config:
    """Return the penalty of gradients at drawn points.

    Raises:
        Unsupported: several of them.
    """
    kinds = {
        "gp": RecordedGradientPenalty,
        "maxgp": RecordedMaxGradientPenalty,
        "dra": RecordedPerturbationPenalty,
    }
    applied = [name for name in kinds if settings.get(f"apply_{name}")]
    if len(applied) > 1:
        raise Unsupported(f"several gradient penalties: {applied}")
    if not applied:
        return {}
    name = applied[0]
    return {"penalty": {"type": kinds[name], "weight": settings[f"{name}_lambda"]}}


def _consistency(settings: Mapping[str, Any], model: Mapping[str, Any]) -> Config:
    """Return CR or bCR, and zCR; they compare the class output beside the score.

    Raises:
        Unsupported: CR and bCR together.
    """
    method = model.get("d_cond_mtd", "W/O")
    extra = {"AC": ["cls.logits"], "2C": ["cls.embed"], "D2DCE": ["cls.embed"]}.get(method, [])
    outputs = ["adv.logit", *extra]
    found: Config = {}
    if settings.get("apply_cr") and settings.get("apply_bcr"):
        raise Unsupported("cr and bcr together")
    if settings.get("apply_cr"):
        found["consistency"] = {"type": "ImageConsistency", "real": settings["cr_lambda"], "outputs": outputs}
    if settings.get("apply_bcr"):
        factors = {"real": settings["real_lambda"], "fake": settings["fake_lambda"]}
        found["consistency"] = {"type": "ImageConsistency", "outputs": outputs, **factors}
    if settings.get("apply_zcr"):
        noise = {"noise": settings["radius"]}
        found["latent_consistency"] = {
            "type": ReplayedLatentConsistency,
            "on": "discriminator",
            "weight": settings["d_lambda"],
            "outputs": outputs,
            **noise,
        }
        weight = settings["g_lambda"]
        found["latent_diversity"] = {
            "type": ReplayedLatentDiversity,
            "on": "generator",
            "weight": weight,
            **noise,
        }
    return found


def _latent_steps(settings: Mapping[str, Any]) -> Config:
    """Return LOGAN's step in both players' updates."""
    if not settings.get("apply_lo"):
        return {}
    shared = {
        "type": ReplayedLatentOptimization,
        "weight": settings["lo_lambda"],
        "alpha": settings["lo_alpha"],
        "beta": settings["lo_beta"],
        "share": settings["lo_rate"],
    }
    return {f"latent_steps_{role[0]}": {**shared, "on": role} for role in ("discriminator", "generator")}


def _adversarial(settings: Mapping[str, Any]) -> Config:
    name = settings["adv_loss"]
    if name == "MH":
        weights = {"real": 1.0, "fake": 1.0, "generated": settings["mh_lambda"]}
        inputs = {"logits": "adv.logits", "label": "cond.label"}
        return {"type": "MultiHingeLoss", "inputs": inputs, "weights": weights}
    if name not in ADVERSARIAL:
        raise Unsupported(f"adv_loss={name!r}")
    loss = {"type": ADVERSARIAL[name]}
    if not settings.get("apply_topk"):
        return loss
    # The share shrinks once per epoch of the data; a case is far shorter than one.
    rates = {"gamma": settings["topk_gamma"], "nu": settings["topk_nu"]}
    return {"type": "TopKLoss", "loss": loss, "epoch_length": ENDLESS, **rates}


def _conditional(settings: Mapping[str, Any], model: Mapping[str, Any]) -> Config:
    """Return the losses of classes, and of a twin, which the peer feeds the first one's output."""
    method, twin = model.get("d_cond_mtd", "W/O"), model.get("aux_cls_type", "W/O")
    if method not in CONDITIONINGS or (twin == "ADC" and method not in ("AC", "2C", "D2DCE")):
        raise Unsupported(f"training with d_cond_mtd={method!r}, aux_cls_type={twin!r}")
    weight = settings.get("cond_lambda", 1.0)
    rules = _rules(settings)
    if method not in rules:
        return {}
    losses = {"class": {**rules[method], "weights": {"real": weight, "generated": weight}}}
    if twin == "ADC" and method == "AC":
        losses["class"] = {"type": RealColumnLoss, "weights": weight}
    elif twin == "ADC":
        inputs = {"embed": "cls.embed", "proxy": "cls.fake_proxy", "label": "cond.label"}
        losses["generated_class"] = {**rules[method], "inputs": inputs, "weights": {"fake": weight}}
    if twin == "TAC":
        signs = {"fake": settings["tac_dis_lambda"], "generated": -settings["tac_gen_lambda"]}
        losses["twin"] = {**rules[method], "weights": signs}
    return losses


def _rules(settings: Mapping[str, Any]) -> dict[str, Config]:
    """Return the loss of every conditioning that has one."""
    temperature = settings.get("temperature")
    return {
        "AC": {"type": "CrossEntropyLoss"},
        "2C": {"type": "ConditionalContrastiveLoss", "temperature": temperature},
        "D2DCE": {
            "type": "D2DCELoss",
            "temperature": temperature,
            "positive_margin": settings.get("m_p"),
            "unbalanced_maximum": True,
        },
    }


def split_baskets(case: GoldenCase) -> tuple[list[Tensor], list[Tensor]]:
    """Return the discriminator's real images (bytes) and labels of each step.

    Feature matching takes every other basket for itself.

    Raises:
        Unsupported: the number of baskets does not fit the steps.
    """
    images, labels = list(case.tensors["in/real_images_uint8"]), list(case.tensors["in/real_labels"])
    stride = 2 if case.spec["settings"]["LOSS"].get("apply_fm") else 1
    steps = int(case.spec["settings"]["steps"])
    if len(images) != stride * steps:
        raise Unsupported(f"{len(images)} baskets of real images for {steps} steps")
    return images[::stride], labels[::stride]


def supply_draws(case: GoldenCase, replay: Replay) -> None:
    """Give regularisers and augmentation what the peer drew for them, and fresh real images.

    Raises:
        Unsupported: something cannot be drawn again from the recorded seed.
    """
    regularizers = replay.model.regularizers
    features = regularizers.get("features")
    augment = read_augment(case.spec["settings"].get("AUG") or {})
    if augment is not None:
        replay.model.augment = augment
    draw_again(case, replay)
    if isinstance(features, FreshFeatureMatching):
        size = case.spec["settings"]["OPTIMIZATION"]["batch_size"]
        baskets = zip(case.tensors["in/real_images_uint8"], case.tensors["in/real_labels"], strict=True)
        features.batches = [(x[:size] / 127.5 - 1, y[:size]) for x, y in list(baskets)[1::2]]
