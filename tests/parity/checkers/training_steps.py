"""Checkers: whole training iterations through :class:`mmcgan.models.gan.ConditionalGAN`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from tests.parity.cases import GoldenCase
from tests.parity.checkers.studiogan_objectives import read_objectives, split_baskets, supply_draws
from tests.parity.compare import Comparison, Tolerance
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported, checker

LOSS = Tolerance(1e-4, 1e-5)
# The golden set's own figure: weights perturbed by 2e-7 move the losses of ContraGAN's steps by 8e-4.
CONTRASTIVE_LOSS = Tolerance(1e-3, 1e-5)
# A weight whose true gradient is 0 (a bias in front of a batch norm) moves by up to the learning rate in a
# direction that rounding decides. Which vectors have such entries, the float64 run and its probes say; of
# every kernel and table, a share of its entries is compared closely.
CLOSE_SHARE = 0.97
# A discriminator with batch norms has such biases in every block, and running means that follow them: two
# runs of ours that differ in precision alone part in exactly these. They are held to the drift only.
DECIDED_BY_ROUNDING = re.compile(r"blocks\..*(bias|running_mean)")
# The same in a generator: a convolution's bias inside its blocks is taken out by the batch norm behind it (a
# shortcut's by the next one), so that its true gradient is 0. Probes in float64 cannot tell: there the
# rounding of that gradient is far below Adam's epsilon and moves nothing, in float32 it is not, and moves the
# bias by up to the rate.
TAKEN_OUT_BY_NORMS = re.compile(r"blocks\..*conv\w*\.bias")
CLOSE = Tolerance(1e-4, 1e-4)
# Other running means follow such biases too, by this part of their move at a forward pass: the output norm's
# sees the last block's and its shortcut's. They are compared closely beyond that.
MOMENTUM = 0.1
MEANS = ("running_mean", "stored_mean")

HINGE: dict[str, Any] = {"adversarial": {"type": "HingeLoss"}}


def compare_states(
    comparison: Comparison, name: str, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], drift: float
) -> None:
    """Compare every tensor by itself: all entries within ``drift``, and closely; lost keys fail."""
    normalised = any(key.endswith(MEANS) for key in theirs)
    by_rounding = DECIDED_BY_ROUNDING if name.startswith(DISCRIMINATOR) else TAKEN_OUT_BY_NORMS
    for key, value in theirs.items():
        if key in ours:
            comparison.equal(f"{name} {key} (drift)", ours[key], value, Tolerance(1e-2, drift))
            if normalised and by_rounding.fullmatch(key):
                continue
            vector = value.dim() <= 1
            share = 1.0 if vector else CLOSE_SHARE
            close = _following(drift) if key.endswith(MEANS) else CLOSE
            comparison.equal(f"{name} {key}", ours[key], value, close, share=share, alike=vector)
        elif not key.endswith(("accumulation_counter", "steps")):
            comparison.fail(f"{name} {key}")


def _following(drift: float) -> Tolerance:
    """Return how closely a running mean behind a bias is compared that may have moved by ``drift``."""
    return Tolerance(CLOSE.rtol, max(CLOSE.atol, MOMENTUM * drift))


def compare_networks(
    comparison: Comparison,
    replay: Replay,
    expected: Mapping[str, Mapping[str, Tensor]],
    drift: Mapping[str, float],
) -> None:
    """Compare ``generator``, ``discriminator`` and ``average`` after the run with the peer's."""
    model = replay.model
    assert model.generator_ema is not None
    states = {role: network.state_dict() for role, network in replay.networks(model).items()}
    states["average"] = model.generator_ema.state_dict()
    for name, theirs in expected.items():
        role = GENERATOR if name == "average" else name
        ours = replay.named(role, list(theirs), states[name])
        compare_states(comparison, name, ours, theirs, drift[role])


# --- BigGAN-PyTorch ---------------------------------------------------------------------------


@checker(("biggan_pytorch", "training_step"))
def check_biggan_step(case: GoldenCase, comparison: Comparison) -> None:
    """Several discriminator steps with accumulation and one concatenated pass, then the generator's."""
    config, iterations = case.spec["config"], int(case.spec["iterations"])
    replay = _biggan_replay(case)
    images, labels = ([case.tensors[f"in/{n}_{i}"] for i in range(iterations)] for n in ("x", "y_real"))
    replay.run([{"image": x, "label": y} for x, y in zip(images, labels, strict=True)])
    compare_biggan_losses(case, comparison, replay)
    drift = {
        role: 2 * spec[f"{role[0].upper()}_lr"] * steps * iterations
        for role, spec, steps in (
            (GENERATOR, case.spec["G_kwargs"], 1),
            (DISCRIMINATOR, case.spec["D_kwargs"], config["num_D_steps"]),
        )
    }
    expected = {GENERATOR: case.group("after_G/"), DISCRIMINATOR: case.group("after_D/")}
    if config.get("ema"):
        expected["average"] = case.group("after_G_ema/")
    compare_networks(comparison, replay, expected, drift)
    _compare_biggan_moments(case, comparison, replay)


def _biggan_replay(case: GoldenCase) -> Replay:
    spec, config = case.spec, case.spec["config"]
    regularizers = {
        f"ortho_{role[0]}": {"type": "OrthogonalRegularizer", "on": role, "weight": strength, **extra}
        for role, strength, extra in (
            (GENERATOR, config.get("G_ortho", 0), {}),
            (DISCRIMINATOR, config.get("D_ortho", 0), {"exclude": ()}),
        )
        if strength > 0
    }
    activation = spec.get("activation", "relu")
    return Replay(
        peer=case.peer,
        specs={
            GENERATOR: {"constructor_kwargs": spec["G_kwargs"], "G_activation": activation},
            DISCRIMINATOR: {"constructor_kwargs": spec["D_kwargs"], "D_activation": activation},
        },
        states={GENERATOR: case.group("state_G/"), DISCRIMINATOR: case.group("state_D/")},
        losses=HINGE,
        regularizers=regularizers,
        optimizers={
            GENERATOR: _biggan_adam(spec["G_kwargs"], "G"),
            DISCRIMINATOR: _biggan_adam(spec["D_kwargs"], "D"),
        },
        step={
            "n_critic": config["num_D_steps"],
            "d_accumulation": config["num_D_accumulations"],
            "g_accumulation": config["num_G_accumulations"],
            "generator_batch_size": config["G_batch_size"] or config["batch_size"],
            "split_d": config["split_D"],
            "real_first": False,
        },
        latents=list(case.tensors["in/z_draws"]),
        labels=list(case.tensors["in/y_draws"]),
        average=ExponentialMovingAverage(
            config["ema_decay"], start=config["ema_start"], integers="average", average_at_zero=True
        ),
        average_numbers=[1] * int(spec["iterations"]),  # the peer's counter rests at 1
    )


def _biggan_adam(settings: Mapping[str, Any], player: str) -> dict[str, Any]:
    betas = (settings[f"{player}_B1"], settings[f"{player}_B2"])
    return {"type": "Adam", "lr": settings[f"{player}_lr"], "betas": betas, "eps": settings["adam_eps"]}


def compare_biggan_losses(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    """Compare the last mini-batch's losses of every iteration; the peer returns them divided."""
    step, model = replay.model.step, replay.model
    per_iteration = step.n_critic * step.d_accumulation
    d_log = model.discriminator_log[per_iteration - 1 :: per_iteration]
    g_log = model.generator_log[step.g_accumulation - 1 :: step.g_accumulation]
    found = {
        "out/D_loss_real": [terms["adversarial_real"] for terms in d_log],
        "out/D_loss_fake": [terms["adversarial_fake"] for terms in d_log],
        "out/G_loss": [terms["adversarial_generated"] / step.g_accumulation for terms in g_log],
    }
    for name, values in found.items():
        comparison.equal(name, torch.tensor(values), case.tensors[name], LOSS)


def _compare_biggan_moments(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    """Compare the recorded moments of Adam."""
    pattern = re.compile(r"out/adam_([GD])_(.+)_(exp_avg(?:_sq)?)")
    for name, expected in case.tensors.items():
        if found := pattern.fullmatch(name):
            role = GENERATOR if found[1] == "G" else DISCRIMINATOR
            moment = replay.moments(role, found[2])[found[3]]
            scale = float(expected.abs().max())
            comparison.equal(name, moment, expected, Tolerance(3e-3, 3e-3 * scale))


# --- StudioGAN --------------------------------------------------------------------------------

SHARED_KEYS = ("apply_attn", "info_type", "g_info_injection")
GENERATOR_KEYS: tuple[str, ...] = (
    "z_dim",
    "g_shared_dim",
    "g_conv_dim",
    "attn_g_loc",
    "g_cond_mtd",
    "g_init",
    "g_depth",
)
GENERATOR_KEYS += ("apply_g_sn", "g_act_fn", *SHARED_KEYS)
DISCRIMINATOR_KEYS: tuple[str, ...] = (
    "d_conv_dim",
    "attn_d_loc",
    "d_cond_mtd",
    "aux_cls_type",
    "d_embed_dim",
    "d_init",
)
DISCRIMINATOR_KEYS += ("normalize_d_embed", "d_depth", "apply_d_sn", "d_act_fn", *SHARED_KEYS)
OTHER_KEYS = ("backbone", "apply_g_ema", "g_ema_decay", "g_ema_start")


@checker(("studiogan", "training_step"))
def check_studiogan_step(case: GoldenCase, comparison: Comparison) -> None:
    """Trainer steps with two discriminator passes; G's running statistics rest in D's phase."""
    settings = case.spec["settings"]
    model, optimization, steps = settings["MODEL"], settings["OPTIMIZATION"], int(settings["steps"])
    replay = studiogan_replay(case)
    images, labels = split_baskets(case)
    supply_draws(case, replay)
    replay.run([{"image": image, "label": label} for image, label in zip(images, labels, strict=True)])
    _compare_studiogan_losses(case, comparison, replay)
    updates = optimization["d_updates_per_step"]
    drift = {
        GENERATOR: 2 * steps * optimization["g_lr"],
        DISCRIMINATOR: 2 * steps * updates * optimization["d_lr"],
    }
    final = f"out/step{steps - 1}/final/"
    expected = {GENERATOR: case.group(f"{final}G."), DISCRIMINATOR: case.group(f"{final}D.")}
    if model.get("apply_g_ema"):
        expected["average"] = case.group(f"{final}G_ema.")
    compare_networks(comparison, replay, expected, drift)
    first = case.group("out/step0/after_d/D.")
    if first:
        ours = replay.named(DISCRIMINATOR, list(first), replay.model.discriminator_states[0])
        compare_states(comparison, "discriminator after its first phase", ours, first, drift[DISCRIMINATOR])


def studiogan_replay(case: GoldenCase) -> Replay:
    settings = case.spec["settings"]
    model, optimization = settings["MODEL"], settings["OPTIMIZATION"]
    unknown = set(model) - {*GENERATOR_KEYS, *DISCRIMINATOR_KEYS, *OTHER_KEYS}
    if unknown or optimization.get("g_updates_per_step", 1) != 1:
        raise Unsupported(f"settings {sorted(unknown)}" if unknown else "several generator updates per step")
    eps = float((re.findall(r"eps\s*([\d.e-]+)", str(settings.get("optimizer", ""))) or ["1e-6"])[0])
    adam = {"type": "Adam", "betas": (optimization["beta1"], optimization["beta2"]), "eps": eps}
    average = None
    if model.get("apply_g_ema"):
        average = ExponentialMovingAverage(model["g_ema_decay"], start=model["g_ema_start"])
    losses, regularizers = read_objectives(settings["LOSS"], model)
    return Replay(
        peer=case.peer,
        specs=_studiogan_specs(case),
        states={GENERATOR: case.group("state/G."), DISCRIMINATOR: case.group("state/D.")},
        losses=losses,
        regularizers=regularizers,
        optimizers={
            GENERATOR: {**adam, "lr": optimization["g_lr"]},
            DISCRIMINATOR: {**adam, "lr": optimization["d_lr"]},
        },
        step={
            "n_critic": optimization["d_updates_per_step"],
            "d_accumulation": optimization["acml_steps"],
            "g_accumulation": optimization["acml_steps"],
            "split_d": True,
            "real_first": True,
            "track_generator_statistics": False,
        },
        latents=list(case.tensors["in/z"]),
        labels=list(case.tensors["in/fake_labels"]),
        average=average,
    )


def _studiogan_specs(case: GoldenCase) -> dict[str, dict[str, Any]]:
    """Describe both networks as the peer's network cases do."""
    settings = case.spec["settings"]
    model = settings["MODEL"]
    common = {
        "img_size": int(case.tensors["in/real_images_uint8"].shape[-1]),
        "num_classes": settings["num_classes"],
    }
    specs = {}
    for role, keys in ((GENERATOR, GENERATOR_KEYS), (DISCRIMINATOR, DISCRIMINATOR_KEYS)):
        specs[role] = {
            "kind": f"network/{model['backbone']}/{role[0].upper()}",
            "constructor_kwargs": {**common, **{key: model[key] for key in keys if key in model}},
            "model_config": {"backbone": model["backbone"]},
        }
    return specs


def _compare_studiogan_losses(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    """Compare each step's last discriminator loss and its generator loss, divided as the peer does."""
    step, model = replay.model.step, replay.model
    per_iteration = step.n_critic * step.d_accumulation
    d_log = model.discriminator_log[per_iteration - 1 :: per_iteration]
    g_log = model.generator_log[step.g_accumulation - 1 :: step.g_accumulation]
    weight = case.spec["settings"]["LOSS"].get("cond_lambda", 1.0)
    tolerance = CONTRASTIVE_LOSS if case.spec["settings"]["MODEL"].get("d_cond_mtd") == "2C" else LOSS
    for index, (d_terms, g_terms) in enumerate(zip(d_log, g_log, strict=True)):
        start = f"out/step{index}/"
        found = {
            "d_loss": sum(d_terms.values()) / step.d_accumulation,
            "g_loss": sum(g_terms.values()) / step.g_accumulation,
            "d_cond_loss": d_terms.get("class_real", 0.0) / weight,
        }
        for name, value in found.items():
            if start + name in case.tensors:
                comparison.equal(start + name, value, case.tensors[start + name], tolerance)
