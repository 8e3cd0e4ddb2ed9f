"""Contrastive losses of two processes equal those of one with all samples, gradients included."""

import pytest
import torch
import torch.distributed as torch_dist
from torch import multiprocessing

from mmcgan.losses import ConditionalContrastiveLoss, D2DCELoss

LOSSES = (ConditionalContrastiveLoss(0.5), D2DCELoss(0.5, 0.6, negative_dropout=0.3))


def batch():
    """Return embeddings and proxies (6, 4) and labels; rank r has rows 3r ... 3r + 2."""
    generator = torch.Generator().manual_seed(0)
    embed, proxy = torch.randn(2, 6, 4, dtype=torch.float64, generator=generator)
    return embed, proxy, torch.tensor([0, 1, 1, 0, 2, 1])


def evaluate(loss, embed, proxy, label):
    """Return the loss and its gradient for a weight that scales the last embedding column."""
    weight = torch.ones(4, dtype=torch.float64, requires_grad=True)
    value = loss.real(embed * weight, proxy, label)
    value.backward()
    return value.detach(), weight.grad


def run(rank, folder):
    """Evaluate on the own rows, average the gradient over ranks and save both."""
    torch_dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    rows = slice(3 * rank, 3 * rank + 3)
    results = [evaluate(loss, *(value[rows] for value in batch())) for loss in LOSSES]
    for _, gradient in results:
        torch_dist.all_reduce(gradient)
        gradient /= 2
    torch.save(results, f"{folder}/{rank}.pt")
    torch_dist.destroy_process_group()


@pytest.mark.skipif(not torch_dist.is_available(), reason="needs torch.distributed")
def test_two_ranks_see_each_others_negatives(tmp_path):
    multiprocessing.spawn(run, (str(tmp_path),), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for loss, (value, gradient) in zip(LOSSES, found, strict=True):
            expected, expected_gradient = evaluate(loss, *batch())
            torch.testing.assert_close(value, expected)
            torch.testing.assert_close(gradient, expected_gradient)
