"""Checkers: the gradients of R3GAN's two steps, and whole iterations of its training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmcgan.augments.base import Augment, Draws
from mmcgan.hooks.schedule import OPTIMIZER_FIELDS
from mmcgan.hooks.schedules import cosine
from mmcgan.models.ema import ExponentialMovingAverage
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from mmcgan.structures import Condition, GANBatch
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.r3gan import PEER, PipeDraws, preset_pipe
from tests.parity.compare import Comparison, Tolerance
from tests.parity.replay import Replay
from tests.parity.runner import checker

LETTERS = {"G": GENERATOR, "D": DISCRIMINATOR}
LOSS = Tolerance(1e-4, 2e-5)
NORM = Tolerance(3e-3, 1e-6)


class Preprocessor(Augment):
    """What the peer puts in front of its discriminator in a recorded call.

    Args:
        case: names it and holds its draws.
    """

    def __init__(self, case: GoldenCase) -> None:
        super().__init__()
        self.kind = case.spec["call_kwargs"]["Preprocessor"]
        self.calls = 0
        self.case = case
        if self.kind == "augment_pipe":
            pipe = case.spec["call_kwargs"]["augment_pipe"]
            self.pipe = preset_pipe(pipe["constructor_kwargs"], pipe["p"])

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return what the peer's preprocessor makes of its next images."""
        if self.kind == "affine_flip":
            return 0.75 * image.flip(3) + 0.1
        if self.kind == "mix":
            turned = image.roll(1, 1), image.roll((1, 2), (2, 3))
            return 0.5 * image + 0.25 * turned[0] - 0.2 * turned[1]
        if self.kind == "augment_pipe":
            recorded = self.case.group(f"in/draw/{self.calls % 2}")
            self.calls += 1
            return self.pipe.transform(image, PipeDraws(image, [recorded[key] for key in sorted(recorded)]))
        return image


def build(
    case: GoldenCase,
    latents: Sequence[Tensor],
    gamma: float,
    step: Mapping[str, Any],
    augment: Augment | None,
) -> Replay:
    """Return R3GAN's objective on the case's networks."""
    given = case.spec["constructor_kwargs"]
    penalty = {"weight": gamma, "reuse_scores": True}
    adam = {"type": "Adam", "lr": 1e-3, "betas": (0.0, 0.9), "eps": 1e-8}
    return Replay(
        peer=PEER,
        specs={role: {"constructor_kwargs": given[letter]} for letter, role in LETTERS.items()},
        states={role: case.state(f"state/{x}/") for x, role in LETTERS.items()},
        losses={"adversarial": {"type": "RelativisticLoss"}},
        regularizers={"r1": {"type": "R1", **penalty}, "r2": {"type": "R2", **penalty}},
        optimizers=dict.fromkeys(LETTERS.values(), adam),
        step={"split_d": True, **step},
        latents=latents,
        labels=(),
        augment=augment,
        condition_sampler={"type": "RealCondition"} if _classes(case) else None,
    )


def _classes(case: GoldenCase) -> int:
    given = case.spec["constructor_kwargs"]["G"]
    return int(given.get("ConditionDimension") or given.get("c_dim") or 0)


def _condition(rows: Tensor | None) -> Condition:
    return Condition() if rows is None or not rows.shape[-1] else Condition(label=rows.argmax(-1))


@checker((PEER, "train_function/D"), (PEER, "train_function/G"))
def check_gradients(case: GoldenCase, comparison: Comparison) -> None:
    """One call that accumulates gradients: losses, logits, penalties, gradients."""
    letter = case.spec["kind"][-1]
    role, call = LETTERS[letter], case.spec["call_kwargs"]
    noise, real_image = case.tensors["in/noise"], case.tensors["in/real"]
    real = GANBatch(real_image.clone(), _condition(case.tensors.get("in/condition")))
    replay = build(case, [noise], call.get("Gamma", 0.0), {}, Preprocessor(case))
    model, optimizer = replay.model, replay.wrappers[role]
    compute = model.discriminator_terms if letter == "D" else model.generator_terms
    terms = compute(real, optimizer)
    (float(call["Scale"]) * sum(terms.values())).backward()
    recorded = case.group("out/")
    comparison.equal(
        "adversarial loss", _first(terms, "adversarial"), recorded["adversarial_loss"].mean(), LOSS
    )
    for name in ("r1", "r2"):
        if f"{name}_penalty" in recorded:
            theirs = 0.5 * call["Gamma"] * recorded[f"{name}_penalty"].mean()
            comparison.equal(f"{name} penalty", terms[name], theirs, LOSS)
    if "fake_images" in recorded:
        with torch.no_grad():
            fake = model.generator(noise, real.condition)
        comparison.equal("out/fake_images", fake, recorded["fake_images"])
    _compare_parameters(case, comparison, replay, letter)


def _first(terms: Mapping[str, Tensor], prefix: str) -> Tensor:
    return next(value for name, value in terms.items() if name.startswith(prefix))


def _gradients(replay: Replay, letter: str, names: Sequence[str]) -> State:
    role = LETTERS[letter]
    parameters = dict(replay.networks(replay.model)[role].named_parameters())
    ours = replay.formats[role].key_map(names, role)
    found = {name: parameters[ours[name]].grad for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _compare_parameters(case: GoldenCase, comparison: Comparison, replay: Replay, letter: str) -> None:
    names = case.spec["grad_norm_names"]
    gradients = _gradients(replay, letter, names)
    norms = torch.stack([gradients[name].norm() for name in names])
    comparison.equal("out/grad_norms", norms, case.tensors["out/grad_norms"], NORM)
    for name, expected in case.group("out/grad/").items():
        ours = _as_theirs(name, gradients[name])
        comparison.equal(
            f"out/grad/{name}", ours, expected, Tolerance(1e-3, 1e-4 * float(expected.abs().max()))
        )


def _as_theirs(name: str, value: Tensor) -> Tensor:
    """Return a tensor as the peer stores it: the table of labels is the matrix of a linear map there."""
    return value.T if name.endswith("EmbeddingLayer.weight") else value


# --- whole iterations ---------------------------------------------------------------------------


@checker((PEER, "iterations"))
def check_iterations(case: GoldenCase, comparison: Comparison) -> None:
    """Iterations of the peer's loop: schedules, both steps with real images of their own, the average."""
    spec = case.spec
    batch = int(spec["batch_size"])
    rounds = batch // min(spec["d_batch_gpu"], spec["g_batch_gpu"])
    size = batch // rounds
    noise = [
        part
        for i in range(spec["iterations"])
        for letter in "DG"
        for part in case.tensors[f"in/noise_{letter}"][i].split(size)
    ]
    step = {"d_accumulation": rounds, "g_accumulation": rounds, "generator_real": "own"}
    replay = build(case, noise, 0.0, step, None)
    average = replay.model.generator_ema
    assert average is not None
    form = replay.formats[GENERATOR]
    average.load_state_dict(form.convert_state(case.state("state/G_ema/"), GENERATOR))
    norms = _record_norms(replay, case)
    for number in range(spec["iterations"]):
        values = _schedule(case, number * batch + spec["start_nimg"])
        _set(replay, values)
        log = len(replay.model.discriminator_log)
        replay.model.train_step(_batch(case, number), replay.wrappers)
        rule = ExponentialMovingAverage(half_life_images=1.0)
        rule.half_life_images = values["ema_scheduler"]
        rule.update(replay.model.generator, average, number + 1, batch)
        _compare_losses(case, comparison, replay, number, log, values["gamma_scheduler"])
        for letter in "DG":
            key = f"out/{letter}_grad_norms_{number}"
            comparison.equal(key, norms[letter][number], case.tensors[key], NORM)
    _compare_after(case, comparison, replay)


def _schedule(case: GoldenCase, images: float) -> dict[str, float]:
    return {
        name: cosine(s["base_value"], s["final_value"], until=s["total_nimg"])(images, s["total_nimg"])
        for name, s in case.spec["schedulers"].items()
    }


def _set(replay: Replay, values: Mapping[str, float]) -> None:
    for role in LETTERS.values():
        for group in replay.wrappers[role].optimizer.param_groups:
            OPTIMIZER_FIELDS["lr"](group, values["lr_scheduler"])
            OPTIMIZER_FIELDS["beta2"](group, values["beta2_scheduler"])
    for regularizer in replay.model.regularizers.values():
        regularizer.weight = values["gamma_scheduler"]


def _batch(case: GoldenCase, number: int) -> dict[str, Tensor]:
    """Return a loader batch: the discriminator's real images, then the generator's."""
    images = torch.cat([case.tensors[f"in/images_{letter}"][number] for letter in "DG"])
    images = images.to(torch.get_default_dtype()) / 127.5 - 1
    rows = torch.cat([case.tensors[f"in/conditions_{letter}"][number] for letter in "DG"])
    return {"image": images, **({"label": rows.argmax(1)} if rows.shape[1] else {})}


def _record_norms(replay: Replay, case: GoldenCase) -> dict[str, list[Tensor]]:
    """Note the norms of the gradients just before every step of an optimiser."""
    found: dict[str, list[Tensor]] = {"G": [], "D": []}
    for letter, role in LETTERS.items():
        names = case.spec["grad_norm_names"][letter]

        def note(*arguments: Any, letter: str = letter, names: Sequence[str] = names) -> None:
            gradients = _gradients(replay, letter, names)
            found[letter].append(torch.stack([gradients[name].norm() for name in names]))

        replay.wrappers[role].optimizer.register_step_pre_hook(note)
    return found


def _compare_losses(
    case: GoldenCase, comparison: Comparison, replay: Replay, number: int, start: int, gamma: float
) -> None:
    logs = {"D": replay.model.discriminator_log[start:], "G": replay.model.generator_log[start:]}
    for letter, rows in logs.items():
        mean = sum(next(v for k, v in row.items() if k.startswith("adversarial")) for row in rows) / len(rows)
        theirs = case.tensors[f"out/{letter}_adversarial_loss_{number}"].mean()
        comparison.equal(f"{letter} adversarial loss {number}", mean, theirs, LOSS)
    for name in ("r1", "r2"):
        mean = sum(row[name] for row in logs["D"]) / len(logs["D"])
        theirs = 0.5 * gamma * case.tensors[f"out/D_{name}_penalty_{number}"].mean()
        comparison.equal(f"{name} penalty {number}", mean, theirs, LOSS)


def _compare_after(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    """Compare weights, averages and second moments; float32 by quantile, as a sign step asks."""
    average = replay.model.generator_ema
    assert average is not None
    states = {f"{x}_after": (replay.networks(replay.model)[role], role) for x, role in LETTERS.items()}
    for name, (network, role) in {**states, "G_ema_after": (average, GENERATOR)}.items():
        expected = case.group(f"out/{name}/")
        ours = replay.named(role, list(expected), network.state_dict())
        for key, value in expected.items():
            moved = Tolerance(1e-3, 5e-4)
            comparison.equal(f"out/{name}/{key}", _as_theirs(key, ours[key]), value, moved, share=0.97)
    for letter, role in LETTERS.items():
        names = case.spec["grad_norm_names"][letter]
        norms = torch.stack([replay.moments(role, name)["exp_avg_sq"].norm() for name in names])
        key = f"out/{letter}_adam_exp_avg_sq_norms"
        comparison.equal(key, norms, case.tensors[key], Tolerance(6e-3, 1e-9))
