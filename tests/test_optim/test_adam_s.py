"""AdamS: its first step in closed form; parameters without a gradient stay."""

import pytest
import torch

from mmcgan.optim import AdamS


def test_the_first_step_shrinks_by_the_gradient_size_and_then_walks_one_learning_rate():
    moving, idle = (torch.nn.Parameter(torch.tensor([2.0, -4.0])) for _ in range(2))
    optimizer = AdamS([moving, idle], lr=0.1, betas=(0.0, 0.999), eps=0.0, weight_decay=0.5)
    moving.grad = torch.tensor([0.5, -0.5])
    optimizer.step()
    shrunk = 1 - 0.5 * 0.1 / 0.5  # v_hat is 0.25 everywhere after one step
    assert moving.tolist() == pytest.approx([2.0 * shrunk - 0.1, -4.0 * shrunk + 0.1], rel=1e-5)
    assert idle.tolist() == [2.0, -4.0]
    assert optimizer.param_groups[0]["weight_decay"] == 0.5, "schedules find it under its usual name"


def test_without_weight_decay_it_is_adam():
    results = []
    for kind in (AdamS, torch.optim.Adam):
        parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
        optimizer = kind([parameter], lr=0.1)
        for _ in range(3):
            parameter.grad = parameter.detach().clone()
            optimizer.step()
        results.append(parameter.detach())
    assert torch.equal(*results)
