"""Checkers: Projected GAN's loss, blur, both steps and whole iterations of its training loop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch

from mmcgan.augments.blur import blurred
from mmcgan.hooks.schedules import linear
from mmcgan.losses import HingeLoss
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.peers import GENERATOR
from mmcgan.peers.projected_gan.fastgan import PEER, FastGANFormat, given_noise
from mmcgan.structures import GANBatch
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.networks import compare_gradient_norms
from tests.parity.checkers.projected_gan import noise_of
from tests.parity.checkers.projected_gan_discriminator import peer_logits
from tests.parity.checkers.projected_gan_replay import (
    LETTERS,
    RecordedAugment,
    build,
    draws_of,
    labels_of,
    real_images,
    used_state,
)
from tests.parity.checkers.projected_gan_scales import GoldenStub, condition_of, stub_key
from tests.parity.compare import Comparison, Tolerance
from tests.parity.replay import Replay
from tests.parity.runner import checker

LOSS = Tolerance(1e-4, 2e-5)
#: Float32 behind a step of Adam, which moves an entry by the whole rate however small its gradient is. The
#: coordinates of the peer's resizing alone carry 1e-5 in float32, and a rectifier that stands closer to its
#: kink turns signs of such gradients. The float64 record of the same quantities is held to the usual 1e-9.
BEHIND_A_STEP = Tolerance(5e-3, 2e-3)
NORM_BEHIND_A_STEP = 5e-2


# --- loss and blur ----------------------------------------------------------------------------------------


@checker((PEER, "loss"))
def check_loss(case: GoldenCase, comparison: Comparison) -> None:
    """The hinge loss of both players over all logits, and its gradients."""
    real, fake = (case.tensors[f"in/logits_{name}"].clone().requires_grad_() for name in ("real", "fake"))
    loss = HingeLoss()
    terms = loss.discriminator_terms({"logit": real}, {"logit": fake})
    total = torch.stack(list(terms.values())).sum()
    comparison.equal("out/D_loss", total, case.tensors["out/D_loss"])
    gradients = torch.autograd.grad(total, (real, fake))
    comparison.equal("out/D_grad_real", gradients[0], case.tensors["out/D_grad_real"])
    comparison.equal("out/D_grad_fake", gradients[1], case.tensors["out/D_grad_fake"])
    total = torch.stack(list(loss.generator_terms({"logit": fake}, None).values())).sum()
    comparison.equal("out/G_loss", total, case.tensors["out/G_loss"])
    (gradient,) = torch.autograd.grad(total, fake)
    comparison.equal("out/G_grad_fake", gradient, case.tensors["out/G_grad_fake"])


@checker((PEER, "blur"))
def check_blur(case: GoldenCase, comparison: Comparison) -> None:
    """The schedule of the blur, the blurred images, and the gradient of the image."""
    given = case.spec["constructor_kwargs"]
    end = given["blur_fade_kimg"] * 1000
    schedule = linear(given["blur_init_sigma"], 0.0, until=end)
    for index, images in enumerate(case.tensors["in/nimg"].tolist()):
        sigma = schedule(images, end)
        comparison.equal(f"sigma {index}", sigma, case.tensors["out/sigma"][index])
        radius = float(int(3 * sigma))
        comparison.equal(f"radius {index}", radius, case.tensors["out/radius"][index])
        image = case.tensors["in/x"].clone().requires_grad_()
        output = blurred(image, sigma)
        comparison.equal(f"out/blurred/{index}", output, case.tensors[f"out/blurred/{index}"])
        if f"out/grad_x/{index}" in case.tensors:
            (gradient,) = torch.autograd.grad((output * case.tensors["in/loss_weight"]).sum(), image)
            comparison.equal(f"out/grad_x/{index}", gradient, case.tensors[f"out/grad_x/{index}"])


@checker((PEER, "projector_construct"))
def check_construction(case: GoldenCase, comparison: Comparison) -> None:
    """What building the peer's projector does to batch norms: one training forward of a black image."""
    stub = GoldenStub(case.spec["stub"])
    stub.load_state_dict({_loaded_key(key): value for key, value in case.state().items()})
    for layer in stub.layers:
        layer.train()
    stub.feature_maps(torch.zeros(1, 3, 224, 224))
    state = stub.state_dict()
    for key, expected in case.group("out/after/").items():
        # inside a black image maps are constant and variances rounding; the float64 record is held tightly
        comparison.equal(f"out/after/{key}", state[stub_key(key)], expected, Tolerance(1e-3, 2e-5))


def _loaded_key(key: str) -> str:
    """Return our key of the stand-in as it is before the peer takes it apart."""
    stem = {"conv_stem": "layers.0.0", "bn1": "layers.0.1"}
    first, _, rest = key.partition(".")
    if first in stem:
        return f"{stem[first]}.{rest}"
    number, _, rest = rest.partition(".")
    return f"layers.{int(number) + 1}.{rest}"


# --- one step ---------------------------------------------------------------------------------------------


@checker((PEER, "train_function"))
def check_steps(case: GoldenCase, comparison: Comparison) -> None:
    """Either phase from the same start: loss, logits, gradients, and what moves in both networks."""
    for letter in LETTERS:
        latents = [case.tensors[f"in/{letter}/z"]]
        labels = labels_of(case.tensors[f"in/{letter}/gen_c"])
        replay = build(case, latents, labels, RecordedAugment(draws_of(case, letter)), 1)
        model, optimizer = replay.model, replay.wrappers[LETTERS[letter]]
        real = GANBatch(real_images(case.tensors["in/real_16px"]), condition_of(case.tensors["in/real_c"]))
        compute = model.discriminator_terms if letter == "D" else model.generator_terms
        with _noise(case, replay, f"in/{letter}/noise/"):
            terms = compute(real, optimizer)
        total = torch.stack(list(terms.values())).sum()
        total.backward()
        comparison.equal(f"out/{letter}_loss", total, case.tensors[f"out/{letter}_loss"], LOSS)
        _compare_logits(case, comparison, replay, letter, "")
        _compare_norms(case, comparison, replay, letter, "", _gradients(replay, letter, case))
        for other, role in LETTERS.items():
            network = replay.networks(model)[role]
            expected = case.group(f"out/{letter}_phase_{other}_after/")
            ours = replay.named(role, list(expected), network.state_dict())
            comparison.equal_all(f"out/{letter}_phase_{other}_after/", ours, expected)


def _noise(case: GoldenCase, replay: Replay, prefix: str) -> Any:
    recorded = case.group(prefix)
    form = replay.formats[GENERATOR]
    assert isinstance(form, FastGANFormat)
    return given_noise(replay.model.generator, noise_of(form, recorded)) if recorded else nullcontext()


def _gradients(replay: Replay, letter: str, case: GoldenCase) -> State:
    role, names = LETTERS[letter], case.spec["grad_norm_names"][letter]
    parameters = dict(replay.networks(replay.model)[role].named_parameters())
    ours = replay.formats[role].key_map(names, role)
    found = {name: parameters[ours[name]].grad for name in names if ours.get(name) in parameters}
    return {name: value for name, value in found.items() if value is not None}


def _compare_norms(
    case: GoldenCase, comparison: Comparison, replay: Replay, letter: str, end: str, gradients: State
) -> None:
    key = f"{letter}_grad_norms{end}"
    noise = set(case.spec.get("grad_norms_that_are_pure_rounding_noise", {}).get(key, ()))
    names, norms = case.spec["grad_norm_names"][letter], case.tensors[f"out/{key}"].tolist()
    expected = {
        name: norm for name, norm in zip(names, norms, strict=True) if norm >= 0 and name not in noise
    }
    if not end:
        compare_gradient_norms(comparison, gradients, expected, f"{key}: ")
        return
    whole = max(expected.values())
    loose = Tolerance(NORM_BEHIND_A_STEP, 1e-4 * whole, whole)
    for name, norm in expected.items():
        comparison.equal(f"{key}: gradient norm of {name}", float(gradients[name].norm()), norm, loose)


def _compare_logits(
    case: GoldenCase, comparison: Comparison, replay: Replay, letter: str, end: str, start: int = 0
) -> None:
    scales = replay.model.discriminator.backbone.num_scales
    rows = [peer_logits(scores, int(scales)) for scores in replay.model.score_log[start:]]  # type: ignore[arg-type]
    step = 2 if letter == "D" else 1
    for offset, name in enumerate(("fake", "real")[:step]):
        key = f"out/{letter}_logits_{name}{end}"
        comparison.equal(key, torch.cat(rows[offset::step]), case.tensors[key], case.tolerance_of(key))


# --- whole iterations -------------------------------------------------------------------------------------


@checker((PEER, "iterations"))
def check_iterations(case: GoldenCase, comparison: Comparison) -> None:
    """Iterations of the peer's loop: both steps in rounds, the optimisers, the average."""
    spec = case.spec
    batch, size, number = spec["batch_size"], spec["batch_gpu"], spec["iterations"]
    rounds = batch // size
    order = [(i, letter) for i in range(number) for letter in "GD"]
    latents = [z for i, letter in order for z in case.tensors[f"in/{letter}_z"][i].split(size)]
    labels = [
        part
        for i, letter in order
        for rows in labels_of(case.tensors[f"in/{letter}_gen_c"][i])
        for part in rows.split(size)
    ]
    calls = [
        call for i, letter in order for r in range(rounds) for call in draws_of(case, f"{letter}/{i}/{r}")
    ]
    replay = build(case, latents, labels, RecordedAugment(calls), rounds)
    average = replay.model.generator_ema
    assert average is not None
    form = replay.formats[GENERATOR]
    start = used_state(case.state("state/G_ema/"), spec["constructor_kwargs"]["G"]["img_resolution"])
    if start:
        average.load_state_dict(form.convert_state(start, GENERATOR))
    norms = _record_norms(replay, case)
    for index in range(number):
        model = replay.model
        seen = len(model.score_log)
        images = real_images(case.tensors["in/images_16px"][index])
        batch_data = {"image": images}
        if case.tensors["in/real_c"].shape[-1]:
            batch_data["label"] = case.tensors["in/real_c"][index].argmax(-1)
        model.train_step(batch_data, replay.wrappers)
        _average(case, replay, index * batch, batch)
        end = f"_{index}"
        scales = [model.score_log[seen : seen + rounds], model.score_log[seen + rounds :]]
        for letter, rows in zip("GD", scales, strict=True):
            _compare_round_logits(case, comparison, replay, letter, end, rows)
            _compare_norms(case, comparison, replay, letter, end, norms[letter][index])
            _compare_losses(case, comparison, replay, letter, index, rounds)
    _compare_after(case, comparison, replay)


def _compare_round_logits(
    case: GoldenCase, comparison: Comparison, replay: Replay, letter: str, end: str, rows: Sequence[State]
) -> None:
    scales = int(replay.model.discriminator.backbone.num_scales)  # type: ignore[arg-type]
    logits = [peer_logits(scores, scales) for scores in rows]
    step = 2 if letter == "D" else 1
    for offset, name in enumerate(("fake", "real")[:step]):
        key = f"out/{letter}_logits_{name}{end}"
        tolerance = case.tolerance_of(key) if key == "out/G_logits_fake_0" else BEHIND_A_STEP
        comparison.equal(key, torch.cat(logits[offset::step]), case.tensors[key], tolerance)


def _compare_losses(
    case: GoldenCase, comparison: Comparison, replay: Replay, letter: str, index: int, rounds: int
) -> None:
    log = replay.model.discriminator_log if letter == "D" else replay.model.generator_log
    own = [sum(terms.values()) / rounds for terms in log[index * rounds : (index + 1) * rounds]]
    key = f"out/{letter}_loss_{index}"
    tolerance = LOSS if key == "out/G_loss_0" else BEHIND_A_STEP
    comparison.equal(key, torch.tensor(own), case.tensors[key], tolerance)


def _average(case: GoldenCase, replay: Replay, images: int, batch: int) -> None:
    half_life = min(case.spec["ema_kimg"] * 1000, images * case.spec["ema_rampup"])
    rule = ExponentialMovingAverage(half_life_images=1.0, buffers="copy")
    rule.half_life_images = half_life
    average = replay.model.generator_ema
    assert average is not None
    rule.update(replay.model.generator, average, images // batch + 1, batch)


def _record_norms(replay: Replay, case: GoldenCase) -> dict[str, list[State]]:
    """Keep the gradients just before every step of an optimiser."""
    found: dict[str, list[State]] = {"G": [], "D": []}
    for letter, role in LETTERS.items():

        def note(*arguments: Any, letter: str = letter) -> None:
            gradients = _gradients(replay, letter, case)
            found[letter].append({name: value.clone() for name, value in gradients.items()})

        replay.wrappers[role].optimizer.register_step_pre_hook(note)
    return found


def _compare_after(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    """Compare weights, buffers and averages; float32 by quantile, as a sign step asks."""
    average = replay.model.generator_ema
    assert average is not None
    states = {f"{x}_after": (replay.networks(replay.model)[role], role) for x, role in LETTERS.items()}
    for name, (network, role) in {**states, "G_ema_after": (average, GENERATOR)}.items():
        size = case.spec["constructor_kwargs"]["G"]["img_resolution"]
        expected = used_state(case.group(f"out/{name}/"), size)
        ours = replay.named(role, list(expected), network.state_dict())
        for key, value in expected.items():
            if key not in ours:
                comparison.fail(f"out/{name}/{key}")
                continue
            comparison.equal(f"out/{name}/{key}", ours[key], value, Tolerance(1e-3, 5e-4), share=0.97)
