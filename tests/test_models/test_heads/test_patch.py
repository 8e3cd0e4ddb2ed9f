"""Heads over maps: shapes, agreement with a 1x1 view of every position, losses on maps."""

import pytest
import torch

from mmcgan.losses import CrossEntropyLoss, HingeLoss
from mmcgan.models.heads import PatchHead, PixelClassHead
from mmcgan.structures import Condition

MAP = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))


def test_a_patch_logit_depends_on_its_patch_alone():
    head = PatchHead(4, spectral_norm=False, kernel_size=3)
    logit = head({"map": MAP}, Condition())["logit"]
    assert logit.shape == (2, 3, 5)
    changed = MAP.clone()
    changed[:, :, 0, 0] += 1
    moved = (head({"map": changed}, Condition())["logit"] != logit).any(0)
    assert moved.nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_an_even_kernel_adds_a_row_and_a_column_and_another_scale_can_be_read():
    head = PatchHead(4, spectral_norm=False, kernel_size=4, feature="map_1")
    assert head({"map": MAP, "map_1": MAP[:, :, :2]}, Condition())["logit"].shape == (2, 3, 6)


def test_an_adversarial_loss_averages_over_patches():
    logit = PatchHead(4, spectral_norm=False)({"map": MAP}, Condition())["logit"]
    assert HingeLoss().generated(logit).item() == pytest.approx(-logit.mean().item(), abs=1e-6)


def test_pixel_classes_fit_a_dense_cross_entropy():
    head = PixelClassHead(4, num_map_classes=3, extra=2, spectral_norm=False)
    logits = head({"map": MAP}, Condition())["logits"]
    assert logits.shape == (2, 5, 3, 5)
    label = torch.randint(0, 5, (2, 3, 5))
    flat = CrossEntropyLoss().real(logits.permute(0, 2, 3, 1).reshape(-1, 5), label.flatten())
    assert CrossEntropyLoss().real(logits, label).item() == pytest.approx(flat.item(), abs=1e-6)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="PatchHead: kernel_size must be positive, got 0"):
        PatchHead(4, kernel_size=0)
    with pytest.raises(ValueError, match="PixelClassHead: extra must not be negative, got -1"):
        PixelClassHead(4, 3, extra=-1)
    with pytest.raises(ValueError, match="num_map_classes must be at least 1, got 0"):
        PixelClassHead(4, 0)
