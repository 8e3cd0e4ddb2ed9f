"""Clipping the gradients of some parameters."""

import pytest
import torch
from torch import nn

from mmcgan.regularizers import GradientClipping


def network():
    """Return two layers whose gradients are all 3."""
    layers = nn.ModuleDict({"body": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    for parameter in layers.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    return layers


def test_the_norm_of_the_chosen_gradients_is_clipped_and_the_others_are_left_alone():
    layers = network()
    GradientClipping(parameters=["head.*"], max_norm=0.5).after_backward(layers)
    chosen = torch.cat([p.grad.flatten() for p in layers["head"].parameters()])
    assert chosen.norm().item() == pytest.approx(0.5, rel=1e-4)
    assert (layers["body"].weight.grad == 3).all()


def test_values_are_clipped():
    layers = network()
    GradientClipping(on="generator", parameters=["head.bias"], max_value=1.0).after_backward(layers)
    assert (layers["head"].bias.grad == 1).all() and (layers["head"].weight.grad == 3).all()


def test_bad_settings_are_named():
    for settings in (dict(), dict(max_norm=1.0, max_value=1.0), dict(max_norm=0.0)):
        with pytest.raises(ValueError, match="give max_norm or max_value, greater than 0"):
            GradientClipping(**settings)
    with pytest.raises(ValueError, match=r"\['haed.\*'\] matches no trained parameter of the discriminator"):
        GradientClipping(parameters=["haed.*"], max_norm=1.0).after_backward(network())
