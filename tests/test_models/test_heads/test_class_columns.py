"""Heads whose number of columns is not the number of classes."""

import pytest
import torch

from mmcgan.models.heads import DiscriminativeClassifierHead, FakeClassHead, PerClassHead
from mmcgan.structures import Condition

FEATURES = {"pooled": torch.randn(4, 6, generator=torch.Generator().manual_seed(0))}
CONDITION = Condition(label=torch.tensor([2, 0, 2, 1]))


@pytest.mark.parametrize(("head", "columns"), [(FakeClassHead, 4), (DiscriminativeClassifierHead, 6)])
def test_columns(head, columns):
    assert head(6, 3)(FEATURES, Condition())["logits"].shape == (4, columns)


def test_the_per_class_head_shows_the_column_of_the_label_only():
    head = PerClassHead(6, 3, spectral_norm=False)
    logit = head(FEATURES, CONDITION)["logit"]
    columns = head.linear(FEATURES["pooled"])
    assert logit.tolist() == [columns[i, c].item() for i, c in enumerate((2, 0, 2, 1))]
    logit[:1].sum().backward()
    assert head.linear.weight.grad[2].abs().sum() > 0
    assert head.linear.weight.grad[:2].abs().sum() == 0


@pytest.mark.parametrize("head", [FakeClassHead, DiscriminativeClassifierHead, PerClassHead])
def test_no_classes_are_refused(head):
    with pytest.raises(ValueError, match=f"{head.__name__}: num_classes must be at least 1, got 0"):
        head(6, 0)
