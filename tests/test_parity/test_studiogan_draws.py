"""Training steps of StudioGAN with settings that draw more than labels and latents.

No shared case has these settings, so that the numbers cannot be compared: a shared case is given them, and
latents from between the draws that they make. That the replay runs to its end shows that every draw is used
up in its place; that a case with the latents it had is refused shows that a missed draw does not pass.
"""

import copy
import dataclasses

import pytest
import torch

from tests.parity import load_case
from tests.parity.checkers import studiogan_draws
from tests.parity.checkers.studiogan_objectives import supply_draws
from tests.parity.checkers.training_steps import studiogan_replay
from tests.parity.runner import Unsupported, load_checkers
from tests.test_parity.golden_sets import full_set

FULL = full_set()
needs_golden = pytest.mark.skipif(FULL is None, reason="golden data not found (set MMCGAN_GOLDEN)")

LOGAN = {"apply_lo": True, "lo_alpha": 0.9, "lo_beta": 0.1, "lo_rate": 0.8, "lo_lambda": 0.1}
LATENT = {"apply_zcr": True, "radius": 0.05, "g_lambda": 0.5, "d_lambda": 20.0}
SETTINGS = {
    "cr": ({"apply_cr": True, "cr_lambda": 10.0}, {"cr_aug_type": "cr"}),
    "bcr and zcr": ({"apply_bcr": True, "real_lambda": 10.0, "fake_lambda": 10.0, **LATENT}, {}),
    "logan": ({**LOGAN, "lo_steps4train": 2, "lo_steps4eval": 10}, {}),
    "dragan": ({"apply_dra": True, "dra_lambda": 10.0}, {}),
    "diffaug and top-k": (
        {"apply_topk": True, "topk_gamma": 0.99, "topk_nu": 0.5},
        {"apply_diffaug": True, "diffaug_type": "diffaug"},
    ),
}


def changed(losses, augment):
    """Return the shared case of BigGAN's steps, cut to one step, with other settings."""
    load_checkers()
    case = load_case(FULL / "studiogan" / "studiogan__step_biggan_pd_hinge")
    settings = copy.deepcopy(case.spec["settings"])
    settings |= {"LOSS": {**settings["LOSS"], **losses}, "AUG": augment, "steps": 1}
    settings["OPTIMIZATION"]["d_updates_per_step"] = 1
    found = dataclasses.replace(case, spec={**case.spec, "settings": settings})
    tensors = {key: value[:2] for key, value in case.tensors.items() if key.startswith("in/")}
    tensors |= {f"state/{key}": value for key, value in case.group("state/").items()}
    tensors["in/real_images_uint8"] = case.tensors["in/real_images_uint8"][:1, :4]
    tensors["in/real_labels"] = case.tensors["in/real_labels"][:1, :4]
    found.__dict__["tensors"] = tensors
    return found


def redrawn(case):
    """Return the latents that the case's seed gives between the draws of its settings."""
    replay = studiogan_replay(case)
    augment = studiogan_draws.read_augment(case.spec["settings"]["AUG"])
    replay.model.augment = augment or replay.model.augment
    queues = studiogan_draws.queues_of(case, replay)
    latents = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(case.spec["seed"]) + 5)
        for latent, role in zip(case.tensors["in/z"], ("discriminator", "generator"), strict=True):
            torch.randint(0, case.spec["settings"]["num_classes"], (len(latent),))
            latents.append(torch.randn(latent.shape))
            for draw in [draw for _, roles, draw in queues for _ in range(roles.get(role, 0))]:
                draw(latents[-1])
    return torch.stack(latents)


def recorded(replay):
    """Return the lists of draws that wait to be used."""
    modules = [replay.model.augment, *replay.model.regularizers.values()]
    modules += [module.transform for module in modules if hasattr(module, "transform")]
    return [module.recorded for module in modules if isinstance(getattr(module, "recorded", None), list)]


@needs_golden
@pytest.mark.parametrize("name", SETTINGS)
def test_every_draw_finds_its_place(name):
    case = changed(*SETTINGS[name])
    with pytest.raises(Unsupported, match="neither stored nor repeatable"):
        supply_draws(case, studiogan_replay(case))
    case.tensors["in/z"] = redrawn(case)
    replay = studiogan_replay(case)
    supply_draws(case, replay)
    waiting = recorded(replay)
    assert all(waiting)
    image, label = case.tensors["in/real_images_uint8"][0], case.tensors["in/real_labels"][0]
    replay.run([{"image": image, "label": label}])
    assert not any(waiting)
    values = [*replay.model.discriminator_log[0].values(), *replay.model.generator_log[0].values()]
    assert all(torch.isfinite(torch.tensor(value)) for value in values)


@needs_golden
@pytest.mark.parametrize(
    ("losses", "augment", "message"),
    [
        ({"apply_cr": True, "apply_bcr": True, "cr_lambda": 1.0}, {}, "cr and bcr together"),
        ({"apply_gp": True, "apply_dra": True}, {}, "several gradient penalties"),
        ({"apply_other": True}, {}, "losses"),
        ({}, {"apply_ada": True, "ada_target": 0.6}, "augmentation"),
    ],
)
def test_what_cannot_be_replayed_says_so(losses, augment, message):
    case = changed(losses, augment)
    with pytest.raises(Unsupported, match=message):
        supply_draws(case, studiogan_replay(case))
