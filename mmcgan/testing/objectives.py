"""Checks of losses, regularisers and augmentations."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from mmcgan.augments.base import Augment
from mmcgan.registry import AUGMENTS, LOSSES, REGULARIZERS
from mmcgan.regularizers.base import Regularizer
from mmcgan.testing.requirements import built, check_finite, require, source


def check_loss(loss: Any, inputs: Mapping[str, Tensor]) -> None:
    """Check a loss: a finite scalar in every view, gradients, determinism, its state, no parameters.

    A loss with a state (a running mean) keeps it in buffers; its second call may then differ from the first.

    Args:
        loss: built, or its config.
        inputs: tensors by the loss's arguments; real and generated images get the same.

    Raises:
        CheckError: names what is wrong.

    Examples:
        >>> from mmcgan.losses import HingeLoss
        >>> check_loss(HingeLoss(), {"logit": torch.randn(4)})
    """
    term = built(LOSSES, loss)
    name = type(term).__name__
    require(bool(term.implemented_views()), f"{name} has none of the views {term.views}")
    require(not list(term.parameters()), f"{name} has parameters; those belong into a head")

    def terms() -> dict[str, Tensor]:
        given = {k: v.detach().clone().requires_grad_(v.is_floating_point()) for k, v in inputs.items()}
        found = {**term.discriminator_terms(given, given), **term.generator_terms(given, given)}
        for view, value in found.items():
            require(value.ndim == 0, f"{name}: {view} returns the shape {tuple(value.shape)}, not a scalar")
            check_finite(name, view, value)
        total = sum(found.values())
        floats = [value for value in given.values() if value.requires_grad]
        slopes = torch.autograd.grad(total, floats, allow_unused=True)
        require(any(slope is not None for slope in slopes), f"{name}: no gradient reaches its inputs")
        for slope in slopes:
            if slope is not None:
                check_finite(name, "its gradient", slope)
        return {view: value.detach() for view, value in found.items()}

    start = deepcopy(term.state_dict())
    first, kept = terms(), deepcopy(term.state_dict())
    second = terms()
    require(set(first) == set(term.implemented_views()), f"{name} returns {sorted(first)}")
    term.load_state_dict(start)
    again = terms()
    require(all(torch.equal(first[view], again[view]) for view in first), f"{name}: two calls differ")
    term.load_state_dict(kept)
    again = terms()
    message = "differs after its state was saved and loaded: what changes in training must be a buffer"
    require(all(torch.equal(second[view], again[view]) for view in first), f"{name} {message}")


def check_regularizer(regularizer: Any) -> None:
    """Check what a regulariser declares: player, interval, what it reads, and that it overrides a moment.

    Args:
        regularizer: built, or its config.

    Raises:
        CheckError: names what is wrong.
    """
    term = built(REGULARIZERS, regularizer)
    kind = type(term)
    moments = ("forward", "move_latent", "after_backward", "after_step")
    used = [name for name in moments if getattr(kind, name) is not getattr(Regularizer, name)]
    require(bool(used), f"{kind.__name__} overrides none of {', '.join(moments)}")
    require(
        term.is_due(0) and term.is_due(term.interval), f"{kind.__name__}: is_due() does not follow interval"
    )


def check_augment(augment: Any, image_size: int = 32) -> None:
    """Check an augmentation: shape, type, gradients, and that every random number is of the generator.

    Args:
        augment: built, or its config.
        image_size: side of the images.

    Raises:
        CheckError: names what is wrong.
    """
    change: Augment = built(AUGMENTS, augment)
    name, size = type(change).__name__, max(image_size, change.min_size)
    image = torch.rand(4, 3, size, size, generator=source(1)) * 2 - 1
    state = torch.get_rng_state()
    first, second = (change(image.clone(), source(7)) for _ in range(2))
    require(torch.equal(state, torch.get_rng_state()), f"{name} draws from torch's global generator")
    require(torch.equal(first, second), f"{name}: one seed gives two results")
    require(first.shape == image.shape and first.dtype == image.dtype, f"{name} changes shape or type")
    check_finite(name, "its image", first)
    leaf = image.clone().requires_grad_()
    changed = change(leaf, source(7))
    require(changed.requires_grad, f"{name} is not differentiable")
    slope = torch.autograd.grad(changed.sum(), leaf)[0]
    check_finite(name, "its gradient", slope)
