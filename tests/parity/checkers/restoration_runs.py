"""Checkers: whole runs of restoration, the choice of a latent, morphing (Deep Generative Prior)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.peers import GENERATOR, PeerNetwork
from mmcgan.restoration import (
    Fitting,
    InstanceNorms,
    Plan,
    Problem,
    Progress,
    Tuned,
    candidate_distances,
    morph,
)
from mmcgan.structures import Condition
from tests.parity.cases import GoldenCase
from tests.parity.checkers.restoration import (
    EIGHT_BITS,
    build_degradation,
    peer_distance,
    peer_figures,
    peer_network,
    read_stages,
    tolerance_of,
)
from tests.parity.compare import GRADIENT_NORM, Comparison, Tolerance
from tests.parity.runner import Unsupported, checker


@checker(("dgp", "morphing"))
def check_morphing(case: GoldenCase, comparison: Comparison) -> None:
    """Images between two generators."""
    settings = case.spec["constructor_kwargs"]
    ends = [
        Tuned(
            peer_network(case, settings, GENERATOR, f"state/G{i}.").module,
            case.tensors[f"in/z{i}"],
            Condition(label=case.tensors[f"in/label{i}"]),
        )
        for i in (1, 2)
    ]
    for index, share in enumerate(case.tensors["in/alpha"].tolist()):
        image = morph(ends[0], ends[1], share)
        comparison.equal(f"share {share:.2g}", image, case.tensors["out/images"][index : index + 1])


@checker(("dgp", "select_z"))
def check_selection(case: GoldenCase, comparison: Comparison) -> None:
    """Distances of candidates, which see what the target saw, and the winner."""
    settings = case.spec["constructor_kwargs"]
    if "in/candidates" not in case.tensors:
        _check_unselected(case, comparison, settings)
        return
    network = peer_network(case, settings["network"], GENERATOR, "state/G.")
    distance = peer_distance(case, settings["network"], "state/D.")
    latents = case.tensors["in/candidates"]
    labels = case.tensors.get("in/candidate_labels")
    if labels is None:
        labels = case.tensors["in/label"].expand(len(latents))
    degradation = build_degradation(settings["mode"])
    target = degradation.target(case.tensors["in/target"])
    problem = Problem(target, degradation, distance)
    conditions = Condition(label=labels)
    found = candidate_distances(network.module, latents, conditions, problem, degradation.target)
    tolerance = EIGHT_BITS if settings["mode"] in ("SR", "hybrid") else None
    comparison.equal("out/losses", found, case.tensors["out/losses"], tolerance)
    best = int(found.argmin())
    comparison.equal("out/selected_z", latents[best : best + 1], case.tensors["out/selected_z"])
    if "out/selected_label" in case.tensors:
        comparison.equal("out/selected_label", labels[best : best + 1], case.tensors["out/selected_label"])


def _check_unselected(case: GoldenCase, comparison: Comparison, settings: Mapping[str, Any]) -> None:
    """Nothing to choose from: the start is z = 0."""
    if settings.get("select_num"):
        raise Unsupported(f"selection among {settings['select_num']} candidates that are not recorded")
    expected = case.tensors["out/selected_z"]
    comparison.equal("out/selected_z", torch.zeros_like(expected), expected)


def _plan(run: Mapping[str, Any]) -> Plan:
    """Return the plan of a recorded run.

    Raises:
        Unsupported: a random generator, or features of another network.
    """
    if run.get("random_G") or run.get("ftr_type", "Discriminator") != "Discriminator":
        raise Unsupported(f"random_G={run.get('random_G')}, ftr_type={run.get('ftr_type')}")
    return Plan(
        read_stages(run),
        prior_weight=run["w_nll"],
        warm_up=run.get("warm_up", 0),
        stop_mse=run.get("stop_mse", 0.0),
        stop_distance=run.get("stop_ftr", 0.0),
        tune_generator=run.get("update_G", True),
        tune_embedding=run.get("update_embed", False),
        betas=(run.get("G_B1", 0.0), run.get("G_B2", 0.999)),
    )


class Journal:
    """Keeps what the peer's runs record of every iteration."""

    def __init__(self, target: Tensor) -> None:
        self.rows: dict[str, list[Tensor]] = {}
        self.images: list[Tensor] = []
        self.target = target

    def add(self, progress: Progress) -> None:
        """Append one iteration."""
        gradient = progress.latent.grad
        assert gradient is not None
        values = {
            "loss_feature": progress.losses["distance"],
            "loss_mse": progress.losses["mse"],
            "loss_nll": progress.losses["prior"],
            "loss_total": progress.losses["total"],
            "l1_half": (progress.degraded - self.target).abs().mean() / 2,
            "grad_norm_z": gradient.norm(),
            "lr_z": progress.rates.latent,
            "lr_groups": torch.tensor(progress.rates.groups, dtype=torch.float64),
            "z_after_each_step": progress.latent.detach()[0].clone(),
        }
        for name, value in values.items():
            self.rows.setdefault(name, []).append(torch.as_tensor(value))
        self.images = [*self.images[:1], progress.image]


@checker(("dgp", "dgp_run"))
def check_run(case: GoldenCase, comparison: Comparison) -> None:
    """A whole run: losses, learning rates, latents, images and how far every parameter moved."""
    settings, run = case.spec["constructor_kwargs"]["network"], case.spec["constructor_kwargs"]["run"]
    network = peer_network(case, settings, GENERATOR, "state/G.")
    before = deepcopy(dict(network.module.named_parameters()))
    degradation = build_degradation(run["dgp_mode"])
    target = degradation.target(case.tensors["in/target"])
    journal = Journal(target)
    fitting = Fitting(network.module, case.tensors["in/z"].clone(), _plan(run))
    condition = Condition(label=case.tensors["in/label"])
    problem = Problem(target, degradation, peer_distance(case, settings, "state/D."))
    image = fitting.run(problem, condition, journal.add)
    tolerances = {
        "z_after_each_step": tolerance_of(case, "z", Tolerance(1e-3, 1e-4)),
        **{key: Tolerance(1e-6, 1e-12) for key in ("lr_z", "lr_groups")},
        "grad_norm_z": Tolerance(5e-3, 1e-5),
    }
    losses = tolerance_of(case, "losses", Tolerance(2e-3, 1e-4))
    for name, values in journal.rows.items():
        key = f"out/{name}"
        if key in case.tensors:
            comparison.equal(key, torch.stack(values), case.tensors[key], tolerances.get(name, losses))
    quantised = EIGHT_BITS if run["dgp_mode"] in ("SR", "hybrid") else None
    comparison.equal("out/target_degraded", target, case.tensors["out/target_degraded"], quantised)
    allowed = tolerance_of(case, "images", Tolerance(1e-3, 1e-3))
    images = {"first": journal.images[0], "last": journal.images[-1], "after_last_step": image}
    for name, value in images.items():
        if f"out/image_{name}" in case.tensors:
            expected = case.tensors[f"out/image_{name}"]
            comparison.equal(f"image_{name}", value, expected, allowed)
    _compare_changes(case, comparison, network, before)
    _compare_last_figures(case, comparison, run["dgp_mode"], journal.images[-1])


def _compare_changes(
    case: GoldenCase, comparison: Comparison, network: PeerNetwork, before: Mapping[str, Tensor]
) -> None:
    after = dict(network.module.named_parameters())
    moved = {name: float((after[name] - value).norm()) for name, value in before.items()}
    tolerance = tolerance_of(case, "param_change_norms", Tolerance(5e-3, 1e-6))
    skipped = set(case.spec.get("param_change_skip_names", ()))
    expected = case.tensors["out/param_change_norms"].tolist()
    for name, value in zip(case.spec["param_names"], expected, strict=True):
        if name not in skipped:
            # instance norms, which we only make when they are used, never move
            comparison.equal(
                f"change of {name}", moved.get(network.keys.get(name, ""), 0.0), value, tolerance
            )


def _compare_last_figures(case: GoldenCase, comparison: Comparison, mode: str, image: Tensor) -> None:
    if "out/last_psnr" not in case.tensors:
        return
    found = peer_figures(mode, image, case.tensors["in/target"])
    comparison.equal("out/last_psnr", found["psnr"], case.tensors["out/last_psnr"], Tolerance(1e-3, 5e-3))
    comparison.equal("out/last_ssim", found["ssim"], case.tensors["out/last_ssim"], Tolerance(1e-3, 1e-3))


@checker(("dgp", "network"))
def check_network(case: GoldenCase, comparison: Comparison) -> None:
    """The generator with its batch norms and with instance norms in their place."""
    network = peer_network(case, case.spec["constructor_kwargs"], GENERATOR, "state/")
    count = network.unused_size + sum(each.numel() for each in network.module.parameters())
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), Tolerance(1e-9, 1e-9))
    z1, z2, label = (case.tensors[f"in/{name}"] for name in ("z1", "z2", "label"))
    condition, norms = Condition(label=label), InstanceNorms(network.module)

    def make(name: str, latent: Tensor, asked: Condition = condition, active: bool = True) -> None:
        with torch.no_grad():
            image = _with_norms(network.module, norms, latent, asked, active)
        comparison.equal(name, image, case.tensors[f"out/{name}"])

    make("plain_z1", z1, active=False)
    make("plain_z2", z2, active=False)
    make("in_first_z1", z1)
    make("in_then_z2", z2)
    make("in_then_z2_other_label", z2, Condition(label=torch.ones_like(label)))
    leaf = z2.clone().requires_grad_()
    image = _with_norms(network.module, norms, leaf, condition, True)
    (image * case.tensors["in/loss_weight"]).sum().backward()
    assert leaf.grad is not None
    floor = max(1e-4 * float(case.tensors["out/grad_z2_in"].abs().max()), 1e-12)
    comparison.equal("out/grad_z2_in", leaf.grad, case.tensors["out/grad_z2_in"], Tolerance(1e-3, floor))
    _compare_norm_gradients(case, comparison, network)
    norms.reset()
    make("in_reinit_z2", z2)
    # the record shares the parameters' memory and so holds what they were set to last
    for key, expected in case.group("out/in_params/").items():
        comparison.equal(key, _norm_parameter(norms, key), expected)


def _with_norms(
    generator: nn.Module, norms: InstanceNorms, latent: Tensor, condition: Condition, active: bool
) -> Tensor:
    if not active:
        return generator(latent, condition)
    with norms.active():
        return generator(latent, condition)


def _norm_parameter(norms: InstanceNorms, key: str) -> Tensor:
    found = re.fullmatch(r"blocks\.(\d+)\.\d+\.in(\d)\.(weight|bias)", key)
    assert found is not None, key
    stand_in = norms.stand_ins[f"{found[1]}.norm{found[2]}"]
    value = stand_in.scale if found[3] == "weight" else stand_in.shift
    assert value is not None
    return value


def _compare_norm_gradients(case: GoldenCase, comparison: Comparison, network: PeerNetwork) -> None:
    """Compare norms; the normalisation removes the bias before it, whose gradient is noise."""
    gradients = network.gradients()
    listed = case.tensors["out/grad_norms_in"].tolist()
    for name, norm in zip(case.spec["grad_norm_names"], listed, strict=True):
        if norm >= 0 and not name.endswith("conv1.bias"):
            ours = float(gradients[name].norm()) if name in gradients else 0.0
            comparison.equal(f"gradient norm of {name}", ours, norm, GRADIENT_NORM)
