"""Checkers: Omni-INR-GAN's networks at many sizes, its coordinates and its training step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.losses import OmniLoss
from mmcgan.models.layers.implicit_output import Size, pixel_centres
from mmcgan.models.layers.spectral_norm import applied_weight
from mmcgan.peers import DISCRIMINATOR, GENERATOR, PeerNetwork, peer_format
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.networks import compare_gradient_norms
from tests.parity.checkers.training_steps import compare_networks
from tests.parity.compare import Comparison, Tolerance
from tests.parity.replay import Replay
from tests.parity.runner import Unsupported, checker

OUTPUT = Tolerance(1e-4, 2e-5)
GRADIENT = Tolerance(3e-3, 1e-6)
# An image of this size or more is stored with every so many rows and columns.
_IMAGE = re.compile(r"out/(eval|inference|train)(?:_(\d+)(?:x(\d+))?(_chunked)?)?")
#: The peer's ``forward`` tells the network another cell than its ``inference``.
CELLS = {"eval": "relative", "train": "relative", "inference": "native"}


@checker(("omni_inr", "coords"))
def check_coordinates(case: GoldenCase, comparison: Comparison) -> None:
    """Compare the tables of pixel centres and pixel sizes."""
    if case.spec["constructor_kwargs"].get("ranges"):
        _compare_ranges(case, comparison)
    for key, expected in case.tensors.items():
        found = re.fullmatch(r"out/(coord|coord_grid|cell)_(\d+)x(\d+)", key)
        if not found:
            continue
        size = (int(found[2]), int(found[3]))
        centres = pixel_centres(size)
        values = {
            "coord": centres.flatten(0, 1),
            "coord_grid": centres,
            "cell": torch.tensor([2 / side for side in size]).expand(size[0] * size[1], 2),
        }
        comparison.equal(key, values[found[1]], expected, Tolerance(1e-6, 1e-6))


def _compare_ranges(case: GoldenCase, comparison: Comparison) -> None:
    """Compare coordinates stretched to other ranges than [-1, 1]."""
    ranges = torch.tensor(case.spec["constructor_kwargs"]["ranges"], dtype=torch.float32)
    low, high = ranges[:, 0], ranges[:, 1]
    for key, expected in case.tensors.items():
        found = re.fullmatch(r"out/coord_ranged_(\d+)x(\d+)", key)
        if found:
            centres = pixel_centres((int(found[1]), int(found[2])))
            stretched = low + (centres + 1) / 2 * (high - low)
            comparison.equal(key, stretched.reshape(expected.shape), expected, Tolerance(1e-6, 1e-6))


@checker(("omni_inr", "network"))
def check_any_resolution_network(case: GoldenCase, comparison: Comparison) -> None:
    """Compare a generator's images, or a discriminator's scores, at all stored sizes."""
    network = peer_format(case.peer, case.spec).network(case.spec, case.state())
    count = float(sum(parameter.numel() for parameter in network.module.parameters()))
    comparison.equal("parameter count", count, float(case.spec["param_count"]), Tolerance(1e-9, 1e-9))
    if network.role == GENERATOR:
        _check_generator(case, comparison, network)
    else:
        _check_discriminator(case, comparison, network)


def _check_generator(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    for key, expected in case.tensors.items():
        found = _IMAGE.fullmatch(key)
        if not found:
            continue
        network.load(case.state())
        network.module.train(found[1] == "train")
        with torch.no_grad():
            image = _render(case, network, found)
        rows = _stride(image.shape[2], expected.shape[2]), _stride(image.shape[3], expected.shape[3])
        comparison.equal(key, image[: len(expected), :, :: rows[0], :: rows[1]], expected, OUTPUT)
    _check_generator_training(case, comparison, network)


def _render(case: GoldenCase, network: PeerNetwork, found: re.Match[str]) -> Tensor:
    module = network.module
    native = module.image_size
    height = int(found[2] or native)  # type: ignore[arg-type]
    size: Size = (height, int(found[3] or height))
    if module.implicit.cell != "none":  # type: ignore[union-attr]
        module.implicit.cell = CELLS[found[1]]  # type: ignore[union-attr]
    rows = slice(None) if found[1] == "train" or not found[2] else slice(1)
    latent, label = (case.tensors[f"in/{name}"][rows] for name in ("z", "label"))
    condition = Condition(label=label)
    features = module.features(latent, module.embed(condition))  # type: ignore[operator]
    points = 150 if found[4] else 90_000
    return module.implicit(features, size, points=points)  # type: ignore[operator]


def _stride(whole: int, stored: int) -> int:
    return -(-whole // stored)


def _check_generator_training(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    network.load(case.state())
    network.module.train()
    latent = case.tensors["in/z"].clone().requires_grad_()
    image = network.call({"z": latent, "label": case.tensors["in/label"]})[""]
    loss = (image * case.tensors["in/loss_weight"]).sum()
    comparison.equal("out/train_loss", loss, case.tensors["out/train_loss"], Tolerance(1e-4, 1e-3))
    loss.backward()
    assert latent.grad is not None
    comparison.equal("out/grad_input", latent.grad, case.tensors["out/grad_input"], GRADIENT)
    gradients = network.gradients()
    _iterate_as_recorded(case, network)
    _compare_after(case, comparison, network, gradients, case.tensors.get("out/grad_norms"))


def _iterate_as_recorded(case: GoldenCase, network: PeerNetwork) -> None:
    """Run the power iterations of the peer's last training run, if that one was cut in chunks.

    Its network iterates once for every chunk (ours once for all). The state was recorded after all
    runs: the whole one, then the chunked one, then, in some cases, one at another size from the start.
    """
    chunked = "train_mode_max_abs_diff_chunked_vs_whole" in case.spec.get("measured", {})
    if not chunked or any(re.fullmatch(r"out/train_\d+x\d+", key) for key in case.tensors):
        return
    points = re.search(r"max_points_every=(\d+)", str(case.spec["how"]))
    assert points is not None
    chunks = -(-(network.module.image_size**2) // int(points[1]))  # type: ignore[operator]
    with torch.no_grad():
        for layer in network.module.implicit.layers:  # type: ignore[union-attr]
            for _ in range(chunks - 1):
                applied_weight(layer)


def _compare_after(
    case: GoldenCase,
    comparison: Comparison,
    network: PeerNetwork,
    gradients: Mapping[str, Tensor],
    norms: Tensor | None,
) -> None:
    """Compare the state that a training forward left, and the norms of all gradients."""
    own = network.state()
    for name, expected in case.group("out/state_after_train_forward/").items():
        comparison.equal(f"after {name}", own[name].flatten(), expected.flatten(), OUTPUT)
    if norms is None:
        return
    for name, expected in zip(case.spec["grad_norm_names"], norms, strict=True):
        comparison.equal(f"gradient of {name}", gradients[name].norm(), expected, Tolerance(3e-3, 1e-4))


def _check_discriminator(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    label = case.tensors["in/label"]
    for name, image in case.group("in/image_").items():
        network.load(case.state())
        network.module.eval()
        with torch.no_grad():
            comparison.equal(
                f"eval {name}", network.call({"image": image})[""], case.tensors[f"out/eval_{name}"], OUTPUT
            )
        network.module.train()
        network.module.zero_grad()
        image = image.clone().requires_grad_()
        score = network.call({"image": image})[""]
        comparison.equal(f"train {name}", score, case.tensors[f"out/train_{name}"], OUTPUT)
        loss = OmniLoss().real(score, label)
        comparison.equal(f"loss {name}", loss, case.tensors[f"out/train_loss_{name}"])
        loss.backward()
        assert image.grad is not None
        stored = case.tensors[f"out/grad_input_{name}"]
        comparison.equal(f"gradient of the image {name}", image.grad[:, :, ::2, ::2], stored, GRADIENT)
        norms = case.tensors.get(f"out/grad_norms_{name}")
        _compare_after(case, comparison, network, network.gradients(), norms)


@checker(("omni_inr", "training_step"))
def check_any_resolution_step(case: GoldenCase, comparison: Comparison) -> None:
    """Compare one iteration: omni-loss, weight decay, one concatenated pass with the fakes first."""
    spec = case.spec
    optimizers, settings = spec["optimiser"], spec["constructor_kwargs"]
    steps = len(case.tensors["in/z"]) - 1
    batch = case.tensors["in/z"].shape[1]
    replay = Replay(
        peer=case.peer,
        specs={
            role: {"kind": f"network/{role[0].upper()}", "constructor_kwargs": settings[role[0].upper()]}
            for role in (GENERATOR, DISCRIMINATOR)
        },
        states={role: case.group(f"state/{role[0].upper()}.") for role in (GENERATOR, DISCRIMINATOR)},
        losses={"omni": {"type": "OmniLoss", "one_sided": _one_sided(spec)}},
        optimizers={
            role: {"type": "Adam", **optimizers[role[0].upper()]} for role in (GENERATOR, DISCRIMINATOR)
        },
        step={"n_critic": steps, "split_d": False, "real_first": False},
        latents=list(case.tensors["in/z"]),
        labels=list(case.tensors["in/fake_label"]),
    )
    rows = steps * batch
    replay.run([{"image": case.tensors["in/image"][:rows], "label": case.tensors["in/label"][:rows]}])
    drift = {
        role: 2 * optimizers[role[0].upper()]["lr"] * (steps if role == DISCRIMINATOR else 1)
        for role in (GENERATOR, DISCRIMINATOR)
    }
    expected = {role: case.group(f"out/{role[0].upper()}_after/") for role in (GENERATOR, DISCRIMINATOR)}
    compare_networks(comparison, replay, expected, drift)
    _compare_step_outputs(case, comparison, replay, steps, batch)


def _one_sided(spec: Mapping[str, Any]) -> bool:
    """Return which of the peer's two modes of its loss the description names.

    Raises:
        Unsupported: another mode.
    """
    found = re.search(
        r"omni-loss mode ([\w-]+)", " ".join([str(spec.get("summary")), *map(str, spec["how"])])
    )
    mode = found[1] if found else "p_and_n"
    if mode != "p_and_n" and not mode.startswith("one"):
        raise Unsupported(f"omni-loss mode {mode!r}")
    return mode != "p_and_n"


def _compare_step_outputs(
    case: GoldenCase, comparison: Comparison, replay: Replay, steps: int, batch: int
) -> None:
    """Compare scores and losses of every update and the gradients of the generator's."""
    log, terms = replay.model.score_log, replay.model.discriminator_log
    for index in range(steps):
        fake, real = log[index]["omni.score"].split(batch)
        found = {"D_fake": fake, "D_real": real}
        found |= {f"D_loss_{view}": torch.tensor(terms[index][f"omni_{view}"]) for view in ("fake", "real")}
        for name, value in found.items():
            comparison.equal(f"out/{name}_{index}", value, case.tensors[f"out/{name}_{index}"], OUTPUT)
    comparison.equal("out/G_scores", log[steps]["omni.score"], case.tensors["out/G_scores"], OUTPUT)
    loss = replay.model.generator_log[0]["omni_generated"]
    comparison.equal("out/G_loss", loss, case.tensors["out/G_loss"], OUTPUT)
    names = case.spec["grad_norm_names"]
    norms = dict(zip(names, case.tensors["out/G_grad_norms"].tolist(), strict=True))
    gradients = replay.named(GENERATOR, names, replay.gradients[GENERATOR][0])
    compare_gradient_norms(comparison, gradients, norms, "G: ")
