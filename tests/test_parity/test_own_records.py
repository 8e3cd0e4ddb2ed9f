"""Cases of held kinds, recorded by plain loops written here: their checkers read them and agree.

The networks behind the peers' names are compared with the peers' own numbers elsewhere; here it is what
surrounds them: which parameters move, in which order passes are made, what a loss counts.
"""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from mmcgan.peers import DISCRIMINATOR, GENERATOR, peer_format
from mmcgan.restoration import lanczos_kernel
from mmcgan.structures import Condition
from tests.parity import check_file, load_case
from tests.parity.checkers.restoration import build_degradation, peer_distance, peer_network
from tests.test_parity.golden_sets import case_stem


def read(name):
    """Return description and tensors of a golden case."""
    stem = case_stem(name)
    paths = [stem.with_name(f"{stem.name}.{suffix}") for suffix in ("json", "safetensors")]
    return json.loads(paths[0].read_text()), load_file(paths[1])


def checked(folder, spec, tensors):
    """Write a case and return what its checker says."""
    (folder / "own.json").write_text(json.dumps(spec))
    kept = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(kept, folder / "own.safetensors")
    return check_file(folder / "own")


def state_of(tensors, prefix="state/"):
    """Return the weights under a prefix, floats in float32."""
    found = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    return {key: value.float() if value.is_floating_point() else value for key, value in found.items()}


def adam_of(network, settings):
    """Return Adam over a network's parameters, as a description has it."""
    known = {key: value for key, value in settings.items() if key != "type"}
    return torch.optim.Adam(network.module.parameters(), **{**known, "betas": tuple(known["betas"])})


def parameters_of(network):
    """Return a network's parameters by the peer's names."""
    own = dict(network.module.named_parameters())
    return {theirs: own[ours] for theirs, ours in network.keys.items() if ours in own}


def written(folder, spec, tensors):
    """Return a case that is written and read again, to build its networks from."""
    (folder / "start.json").write_text(json.dumps(spec))
    save_file(tensors, folder / "start.safetensors")
    return load_case(folder / "start")


# --- Deep Generative Prior ------------------------------------------------------------------------
def test_a_run_that_inpaints_and_tunes_the_embedding(tmp_path):  # noqa: PLR0915 - one plain loop
    spec, tensors = read("dgp/run_reconstruct")
    spec["constructor_kwargs"]["run"] |= {"dgp_mode": "inpainting", "update_embed": True}
    case = written(tmp_path, spec, tensors)
    settings, run = (spec["constructor_kwargs"][key] for key in ("network", "run"))
    network = peer_network(case, settings, GENERATOR, "state/G.")
    distance = peer_distance(case, settings, "state/D.")
    generator = network.module.requires_grad_(True)
    names = parameters_of(network)
    before = {name: value.detach().clone() for name, value in names.items()}
    hole = torch.ones(1, 1, 32, 32)
    begin = (32 - 32 // 3) // 2
    hole[..., begin : 32 - begin, begin : 32 - begin] = 0
    target = tensors["in/target"] * hole
    latent = tensors["in/z"].clone().requires_grad_()
    groups = [[*(p for n, p in names.items() if n.startswith(("linear.", "shared.")))]]
    groups += [[p for n, p in names.items() if n.startswith(f"blocks.{i}.")] for i in range(3)]
    adam = dict(betas=(run["G_B1"], run["G_B2"]), eps=1e-8)
    latents = torch.optim.Adam([latent], lr=1.0, **adam)
    weights = torch.optim.Adam([{"params": group} for group in groups], lr=1.0, **adam)
    found = {
        key: [] for key in ("loss_feature", "loss_mse", "loss_nll", "loss_total", "l1_half", "grad_norm_z")
    }
    found |= {"lr_z": [], "lr_groups": [], "z_after_each_step": []}
    images = []
    condition = Condition(label=tensors["in/label"])
    for stage, count in enumerate(run["iterations"]):
        for _ in range(count):
            rates = [
                run["G_lrs"][stage] * run["lr_ratio"][stage] ** i * (i < run["ft_num"][stage])
                for i in range(4)
            ]
            for group, rate in zip(weights.param_groups, rates, strict=True):
                group["lr"] = rate
            latents.param_groups[0]["lr"] = run["z_lrs"][stage]
            latents.zero_grad()
            weights.zero_grad()
            image = generator(latent, condition)
            images.append(image.detach().clone())
            shown = image * hole
            feature = distance(shown, target, run["ftr_num"][stage]).sum()
            mse, nll = F.mse_loss(shown, target), (latent**2 / 2).mean()
            total = feature * run["w_D_loss"][stage] + mse * run["w_mse"][stage] + nll * run["w_nll"]
            total.backward()
            values = (feature, mse, nll, total, F.l1_loss(shown, target) / 2, latent.grad.norm())
            for key, value in zip(list(found)[:6], values, strict=True):
                found[key].append(value.detach().clone())
            latents.step()
            weights.step()
            found["lr_z"].append(torch.tensor(run["z_lrs"][stage]))
            found["lr_groups"].append(torch.tensor(rates))
            found["z_after_each_step"].append(latent.detach()[0].clone())
    moved = torch.stack(
        [
            (names[n].detach() - before[n]).norm() if n in names else torch.zeros(())
            for n in spec["param_names"]
        ]
    )
    assert moved[spec["param_names"].index("shared.weight")] > 0
    for key in [key for key in tensors if key.startswith("out/")]:
        del tensors[key]
    tensors |= {f"out/{key}": torch.stack(values) for key, values in found.items()}
    tensors |= {"out/image_first": images[0], "out/image_last": images[-1], "out/target_degraded": target}
    tensors["out/image_after_last_step"] = generator(latent, condition)
    tensors["out/param_change_norms"] = moved
    record = checked(tmp_path, spec, tensors)
    assert record.status == "pass", record


@pytest.mark.parametrize("searched", [True, False])
def test_a_latent_chosen_for_super_resolution(searched, tmp_path):
    """Candidates pass the 8-bit path that the target passed, not the filter of the optimisation."""
    spec, tensors = read("dgp/select_z_label")
    settings = spec["constructor_kwargs"]
    settings |= {"mode": "SR", "select_y": searched}
    if not searched:
        tensors["in/label"] = torch.tensor([2])
        del tensors["in/candidate_labels"], tensors["out/selected_label"]
    case = written(tmp_path, spec, tensors)
    network = peer_network(case, settings["network"], GENERATOR, "state/G.")
    distance = peer_distance(case, settings["network"], "state/D.")
    labels = tensors["in/candidate_labels"] if searched else torch.full((6,), 2)
    target = build_degradation("SR").target(tensors["in/target"])
    assert lanczos_kernel(4, 2, 0.5).sum() == pytest.approx(1)
    losses = []
    with torch.no_grad():
        for latent, label in zip(tensors["in/candidates"], labels, strict=True):
            image = network.module(latent[None], Condition(label=label[None]))
            losses.append(distance(build_degradation("SR").target(image), target, 3).sum())
    best = int(torch.stack(losses).argmin())
    tensors |= {
        "out/losses": torch.stack(losses),
        "out/selected_z": tensors["in/candidates"][best : best + 1],
    }
    if searched:
        tensors["out/selected_label"] = labels[best : best + 1]
    record = checked(tmp_path, spec, tensors)
    assert record.status == "pass", record


# --- MMagic: SAGAN's step ---------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["SAGAN", "SNGAN"])
def test_a_sagan_training_step_at_32_pixels(kind, tmp_path):  # noqa: PLR0915 - one plain loop
    """Fake first, then real, in a pass of its own; G at every second iteration."""
    spec, tensors = read("mmagic/biggan_trainstep32")
    parts = {GENERATOR: "mmagic/sagan_g32_studio_torchsn", DISCRIMINATOR: "mmagic/sagan_d32_studio_torchsn"}
    networks, described = {}, {}
    tensors = {key: value for key, value in tensors.items() if key.startswith("in/")}
    for role, name in parts.items():
        own, states = read(name)
        described[role] = own["constructor"]
        state = state_of(states)
        tensors |= {f"state/{role}.{key}": value for key, value in state.items()}
        networks[role] = peer_format("mmagic", {"constructor": own["constructor"]}).network(
            {"constructor": own["constructor"]}, state
        )
        networks[role].module.train()
    spec["constructor"] |= {"type": kind, "num_classes": 10, **described}
    for key in [key for key in tensors if key.endswith("_noise")]:
        tensors[key] = torch.randn(
            3, described[GENERATOR]["noise_size"], generator=torch.Generator().manual_seed(len(key))
        )
    generator, discriminator = networks[GENERATOR].module, networks[DISCRIMINATOR].module
    optimizers = {role: adam_of(networks[role], spec["optim_wrapper"][role]["optimizer"]) for role in parts}

    def judge(image, label):
        pooled = discriminator.backbone(image)["pooled"]
        head = discriminator.heads["adv"]
        linear = head.linear(pooled)
        return linear + (head.embed(label) * pooled).sum(1, keepdim=True)

    average = None
    for step in range(spec["steps"]):
        draws = [
            tensors[f"in/iter{step}_draw{i}_{what}"]
            for i, what in enumerate(("noise", "label", "noise", "label"))
            if f"in/iter{step}_draw{i}_{what}" in tensors
        ]
        real = (tensors[f"in/real_img_{step}"].float() - 127.5) / 127.5
        with torch.no_grad():
            fake = generator(draws[0], Condition(label=draws[1]))
        losses = {
            "loss_disc_fake": F.relu(1 + judge(fake, draws[1])).mean(),
            "loss_disc_real": F.relu(1 - judge(real, tensors[f"in/real_label_{step}"][:, None])).mean(),
        }
        optimizers[DISCRIMINATOR].zero_grad()
        sum(losses.values()).backward()
        optimizers[DISCRIMINATOR].step()
        if (step + 1) % spec["constructor"]["discriminator_steps"] == 0:
            discriminator.requires_grad_(False)
            losses["loss_gen"] = -judge(generator(draws[2], Condition(label=draws[3])), draws[3]).mean()
            optimizers[GENERATOR].zero_grad()
            losses["loss_gen"].backward()
            optimizers[GENERATOR].step()
            discriminator.requires_grad_(True)
            state = {key: value.clone() for key, value in networks[GENERATOR].state().items()}
            if average is None:
                average = state
            else:
                weights = parameters_of(networks[GENERATOR])
                average = {k: 0.9 * average[k] + 0.1 * v if k in weights else v for k, v in state.items()}
        tensors |= {f"out/iter{step}/{name}": value for name, value in losses.items()}
    for role in parts:
        tensors |= {f"out/state_final/{role}.{key}": v.clone() for key, v in networks[role].state().items()}
    tensors |= {f"out/state_final/generator_ema.module.{key}": value for key, value in average.items()}
    record = checked(tmp_path, spec, tensors)
    assert record.status == "pass", record


# --- Omni-INR-GAN: a one-sided step at another size ----------------------------------------------------
def test_a_one_sided_step_at_a_size_that_is_not_the_networks(tmp_path):
    spec, tensors = read("omni_inr/train_step")
    spec["summary"] = "1 D step(s) + 1 G step at [48, 40], omni-loss mode one_side"
    spec["how"] = ["as the summary says"]
    tensors = {key: v for key, v in tensors.items() if key.startswith(("in/", "state/"))}
    tensors["in/image"] = torch.rand(4, 3, 48, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
    networks = {}
    for role in (GENERATOR, DISCRIMINATOR):
        letter = role[0].upper()
        about = {"kind": f"network/{letter}", "constructor_kwargs": spec["constructor_kwargs"][letter]}
        state = state_of(tensors, f"state/{letter}.")
        networks[role] = peer_format("omni_inr", about).network(about, state)
        networks[role].module.train()
    generator, discriminator = networks[GENERATOR].module, networks[DISCRIMINATOR].module
    adam = {role: adam_of(networks[role], spec["optimiser"][role[0].upper()]) for role in networks}

    def scores(image):
        return discriminator(image, Condition())["omni.score"]

    def one_sided(score, label, positive=True):
        """Return log(1 + sum exp(-+ s)) over the label's column and "real", averaged."""
        chosen = score.gather(1, torch.stack([label, torch.full_like(label, classes)], 1))
        return F.softplus(torch.logsumexp(-chosen if positive else chosen, 1)).mean()

    classes = spec["constructor_kwargs"]["D"]["n_classes"]
    label, fake_label, latent = tensors["in/label"], tensors["in/fake_label"], tensors["in/z"]
    with torch.no_grad():
        fake = generator(latent[0], Condition(label=fake_label[0]), size=(48, 40))
    fake_score, real_score = scores(torch.cat([fake, tensors["in/image"]])).split(4)
    losses = one_sided(real_score, label), one_sided(fake_score, fake_label[0], positive=False)
    adam[DISCRIMINATOR].zero_grad()
    sum(losses).backward()
    adam[DISCRIMINATOR].step()
    score = scores(generator(latent[1], Condition(label=fake_label[1]), size=(48, 40)))
    loss = one_sided(score, fake_label[1])
    adam[GENERATOR].zero_grad()
    loss.backward()
    norms = networks[GENERATOR].gradients()
    tensors["out/G_grad_norms"] = torch.stack([norms[name].norm() for name in spec["grad_norm_names"]])
    adam[GENERATOR].step()
    tensors |= {
        "out/D_fake_0": fake_score,
        "out/D_real_0": real_score,
        "out/G_scores": score,
        "out/G_loss": loss,
    }
    tensors |= {"out/D_loss_real_0": losses[0], "out/D_loss_fake_0": losses[1]}
    for role in networks:
        tensors |= {f"out/{role[0].upper()}_after/{k}": v.clone() for k, v in networks[role].state().items()}
    record = checked(tmp_path, spec, tensors)
    assert record.status == "pass", record
