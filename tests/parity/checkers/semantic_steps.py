"""Checkers: SPADE's training iterations, the generator's step before the discriminator's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.label_maps import instance_edges
from mmcgan.models.backbones.patch import layer_name
from mmcgan.peers import DISCRIMINATOR, GENERATOR
from mmcgan.peers.spade.names import ENCODER_PREFIX
from tests.parity.cases import GoldenCase, State
from tests.parity.checkers.networks import compare_gradient_norms, rounding_noise
from tests.parity.checkers.training_steps import LOSS, compare_states
from tests.parity.compare import Comparison, Tolerance
from tests.parity.replay import Config, Replay
from tests.parity.runner import Unsupported, checker

SEMANTICS = ("label_nc", "contain_dontcare_label", "no_instance")
SETTINGS = {
    GENERATOR: (
        "ngf",
        "semantic_nc",
        "num_upsampling_layers",
        "crop_size",
        "aspect_ratio",
        "norm_G",
        "use_vae",
        "z_dim",
        *SEMANTICS,
    ),
    DISCRIMINATOR: ("ndf", "num_D", "n_layers_D", "norm_D", *SEMANTICS),
}
ADVERSARIAL: dict[str, Config] = {
    "hinge": {"type": "HingeLoss"},
    "ls": {"type": "LeastSquaresLoss", "scale": 1.0},
    "original": {"type": "NonSaturatingLoss"},
    "w": {"type": "WassersteinLoss"},
}
#: The peer's names of losses -> whose step and which of our terms.
TERMS = {
    "GAN": (GENERATOR, "adversarial_generated"),
    "GAN_Feat": (GENERATOR, "features_generator"),
    "KLD": (GENERATOR, "law_generated"),
    "D_Fake": (DISCRIMINATOR, "adversarial_fake"),
    "D_real": (DISCRIMINATOR, "adversarial_real"),
}
#: The peer's networks -> whose optimiser trains them, and what their keys begin with on our side.
NETWORKS = {"G": (GENERATOR, ""), "D": (DISCRIMINATOR, ""), "E": (GENERATOR, ENCODER_PREFIX)}
CHANGE = Tolerance(2e-2, 1e-6)
#: Whose network, and our name in it.
Name = tuple[str, str]


@checker(("spade", "training_step"))
def check_step(case: GoldenCase, comparison: Comparison) -> None:
    """Losses, the first images, gradients, changes of parameters, and the state at the end."""
    replay = _replay(case)
    names, before = _names(replay), _present(replay)
    gradients = _record_gradients(replay)
    images = _record_images(replay)
    replay.run([_batch(case, number) for number in range(int(case.spec["iterations"]))])
    _compare_losses(case, comparison, replay)
    for key, expected in case.group("out/generated/").items():
        # two images an iteration: the generator's step, then the discriminator's
        image = images[2 * int(key)][:, :, ::2, ::2]
        comparison.equal(f"out/generated/{key}", image, expected)
    norms = {key: float(norm) for key, norm in _exact(case, "out/grad_norm/").items()}
    ours = {key: gradients[names[key]] for key in norms if names[key] in gradients}
    for network in NETWORKS:
        own = {key: norm for key, norm in norms.items() if key.startswith(f"{network}/")}
        compare_gradient_norms(comparison, ours, own)
    after = _present(replay)
    for key, expected in _exact(case, "out/param_change_norm/").items():
        change = (after[names[key]] - before[names[key]]).norm()
        comparison.equal(f"change of {key}", change, expected, CHANGE)
    _compare_final(case, comparison, replay, {key: after[name] for key, name in names.items()})


# --- the peer's run in our words ------------------------------------------------------------------


def _replay(case: GoldenCase) -> Replay:
    settings, iterations = case.spec["constructor_settings"], int(case.spec["iterations"])
    if not settings.get("no_vgg_loss"):
        raise Unsupported("a training step with the perceptual loss, whose weights are not recorded")
    encoded = bool(settings.get("use_vae"))
    state, size = case.state(), len(case.tensors["in/label/0"])
    noise = [value for _, value in sorted(case.group("in/eps/").items(), key=lambda item: int(item[0]))]
    return Replay(
        peer=case.peer,
        specs={
            role: {
                "kind": f"network/{role[0].upper()}",
                "constructor_settings": {name: settings[name] for name in names if name in settings},
                "with_encoder": encoded,
            }
            for role, names in SETTINGS.items()
        },
        states={
            role: {
                f"{prefix}{key[2:]}": value
                for network, prefix in _parts(role)
                for key, value in _of(state, network).items()
            }
            for role in SETTINGS
        },
        losses=_losses(settings),
        optimizers=_optimizers(case),
        latents=noise if encoded else [torch.empty(size, 0)] * (2 * iterations),
        labels=(),
        step={"generator_first": True, "split_d": False, "real_first": False},
        condition_sampler={"type": "RealCondition"},
    )


def _parts(role: str) -> list[tuple[str, str]]:
    return [(name, prefix) for name, (player, prefix) in NETWORKS.items() if player == role]


def _of(state: Mapping[str, Tensor], network: str) -> State:
    return {key: value for key, value in state.items() if key.startswith(f"{network}/")}


def _losses(settings: Mapping[str, Any]) -> Config:
    if settings["gan_mode"] not in ADVERSARIAL:
        raise Unsupported(f"gan_mode {settings['gan_mode']!r}")
    scales, layers = settings["num_D"], settings["n_layers_D"]
    logits = [f"patch_{scale}.logit" for scale in range(scales)]
    losses: Config = {"adversarial": {**ADVERSARIAL[settings["gan_mode"]], "inputs": {"logit": logits}}}
    if not settings.get("no_ganFeat_loss"):
        maps = [f"feature.{layer_name(scale, index)}" for scale in range(scales) for index in range(layers)]
        weight = settings["lambda_feat"] * layers
        losses["features"] = {"type": "FeatureMapLoss", "inputs": {"feature": maps}, "weights": weight}
    if settings.get("use_vae"):
        losses["law"] = {"type": "LatentLawLoss", "weights": settings["lambda_kld"]}
    return losses


def _optimizers(case: GoldenCase) -> dict[str, Config]:
    found = {}
    for name, config in case.spec["optimizers"].items():
        role = NETWORKS[name[0]][0]
        found[role] = {"type": "Adam", **config, "betas": tuple(config["betas"])}
    return found


def _batch(case: GoldenCase, number: int) -> dict[str, Tensor]:
    """Return the batch of an iteration; the peer trains both players on it."""
    image, label = case.tensors[f"in/image/{number}"], case.tensors[f"in/label/{number}"]
    batch = {"image": image, "label_map": label[:, 0].long()}
    if case.spec["constructor_settings"].get("no_instance"):
        return batch
    return {**batch, "edge_map": instance_edges(case.tensors[f"in/instance/{number}"][:, 0].long())}


# --- what is recorded and compared ----------------------------------------------------------------


def _present(replay: Replay) -> dict[Name, Tensor]:
    """Return a copy of the state of both networks."""
    networks = Replay.networks(replay.model).items()
    return {(role, name): value.clone() for role, net in networks for name, value in net.state_dict().items()}


def _record_gradients(replay: Replay) -> dict[Name, Tensor]:
    """Return a dictionary that fills with the gradients of each player's first step."""
    found: dict[Name, Tensor] = {}

    def keep(role: str) -> Any:
        def hook(optimizer: Any, arguments: Any, options: Any) -> None:
            for name, parameter in Replay.networks(replay.model)[role].named_parameters():
                if parameter.grad is not None:
                    found.setdefault((role, name), parameter.grad.clone())

        return hook

    for role in SETTINGS:
        replay.wrappers[role].optimizer.register_step_pre_hook(keep(role))
    return found


def _record_images(replay: Replay) -> list[Tensor]:
    """Return a list that fills with every batch of generated images."""
    found: list[Tensor] = []
    replay.model.generator.register_forward_hook(lambda module, inputs, output: found.append(output.detach()))
    return found


def _names(replay: Replay) -> dict[str, tuple[str, str]]:
    """Return whose network it is and our name, of everything that the peer calls ``network/name``."""
    found = {}
    for network, (role, prefix) in NETWORKS.items():
        for theirs, ours in replay.formats[role].key_map(replay.states[role], role).items():
            if theirs.startswith(ENCODER_PREFIX) == bool(prefix):
                found[f"{network}/{theirs.removeprefix(prefix)}"] = (role, ours)
    return found


def _exact(case: GoldenCase, prefix: str) -> State:
    """Return recorded norms without those that are rounding noise."""
    noise = rounding_noise(case) | set(case.spec.get("param_change_norms_that_are_pure_rounding_noise", ()))
    return {key: value for key, value in case.group(prefix).items() if key not in noise}


def _compare_losses(case: GoldenCase, comparison: Comparison, replay: Replay) -> None:
    logs = {GENERATOR: replay.model.generator_log, DISCRIMINATOR: replay.model.discriminator_log}
    for key, expected in case.group("out/loss/").items():
        number, name = key.split("/")
        if name not in TERMS:
            comparison.skip(f"loss {name}")
            continue
        role, term = TERMS[name]
        comparison.equal(f"out/loss/{key}", torch.tensor([logs[role][int(number)][term]]), expected, LOSS)


def _compare_final(case: GoldenCase, comparison: Comparison, replay: Replay, ours: State) -> None:
    for network, (role, _) in NETWORKS.items():
        theirs = _of(case.group("after/"), network)
        if theirs:
            drift = 2 * replay.optimizers[role]["lr"] * int(case.spec["iterations"])
            compare_states(comparison, f"{network} of the {role}", ours, theirs, drift)
