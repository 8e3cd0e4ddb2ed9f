"""Checks of the laws of latents and conditions."""

from __future__ import annotations

import math
from typing import Any

import torch

from mmcgan.contracts import check_object
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.base import ConditionSampler, LatentSampler
from mmcgan.samplers.moves import LatentMove
from mmcgan.testing.requirements import built, check_finite, require, source


def check_latent_sampler(sampler: Any, latent_dim: int = 24) -> None:
    """Check a latent law: shape, type, randomness from the generator alone, truncation, codes.

    Args:
        sampler: built, or its config.
        latent_dim: for a config.

    Raises:
        CheckError: names what is wrong.
    """
    law = built(SAMPLERS, sampler, latent_dim=latent_dim)
    check_object(law, LatentSampler)
    name, state = type(law).__name__, torch.get_rng_state()
    first, second = (law.sample(5, source(3)) for _ in range(2))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(first.shape == (5, law.latent_dim), f"{name}: latents have the shape {tuple(first.shape)}")
    require(first.dtype == torch.float32, f"{name}: latents are {first.dtype}, not float32")
    check_finite(name, "a latent", first)
    require(torch.equal(first, second), f"{name}: one seed gives two draws")
    require(
        not law.latent_dim or not torch.equal(first, law.sample(5, source(4))), f"{name} ignores the seed"
    )
    require(set(law.codes(first)) == set(law.emits), f"{name}: codes() are not those of emits={law.emits}")
    if type(law).truncate is LatentSampler.truncate:
        return
    narrow = law.truncate(first, 0.5, source(5))
    require(narrow.shape == first.shape, f"{name}: truncated latents have another shape")
    whole = law.truncate(first, math.inf, source(5))
    require(torch.equal(whole, first), f"{name}: an infinite truncation changes latents")


def check_latent_move(move: Any, latent_dim: int = 6) -> None:
    """Check a rule that moves latents: shape, randomness of each latent alone, determinism.

    Args:
        move: built, or its config.
        latent_dim: of the latents, which are of N(0, I).

    Raises:
        CheckError: names what is wrong.
    """
    rule = built(SAMPLERS, move)
    check_object(rule, LatentMove)
    rule.follow(SAMPLERS.build(dict(type="NormalLatent", latent_dim=latent_dim)))
    name, state = type(rule).__name__, torch.get_rng_state()
    latent = torch.randn(5, latent_dim, generator=source(2))
    moved, again = (rule(latent.clone(), _hill) for _ in range(2))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(moved.shape == latent.shape, f"{name}: moved latents have the shape {tuple(moved.shape)}")
    check_finite(name, "a latent", moved)
    require(not moved.requires_grad, f"{name}: moved latents carry gradients")
    require(torch.equal(moved, again), f"{name}: two calls differ")
    alone = rule(latent[1:2].clone(), _hill)
    require(
        bool(((alone - moved[1:2]).abs() < 1e-5).all()), f"{name}: a latent depends on others of its batch"
    )


def _hill(latent: torch.Tensor) -> torch.Tensor:
    return -(latent - 1).square().sum(1)


def check_condition_sampler(sampler: Any) -> None:
    """Check a law of conditions: rows, randomness from the generator alone, labels in range.

    Args:
        sampler: built, or its config.

    Raises:
        CheckError: names what is wrong.
    """
    law = built(SAMPLERS, sampler)
    check_object(law, ConditionSampler)
    name, state = type(law).__name__, torch.get_rng_state()
    first, second = (law.sample(5, source(3)).present() for _ in range(2))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(set(first) == set(second), f"{name}: two draws have other fields")
    for field, value in first.items():
        require(len(value) == 5, f"{name}: {field} has {len(value)} rows, 5 were asked for")
        require(torch.equal(value, second[field]), f"{name}: one seed gives two draws of {field}")
    if "label" in first:
        label = first["label"]
        require(label.dtype == torch.int64, f"{name}: labels are {label.dtype}, not int64")
        good = not law.num_classes or bool(((label >= 0) & (label < law.num_classes)).all())
        require(good, f"{name}: labels lie outside 0..{law.num_classes - 1}")
