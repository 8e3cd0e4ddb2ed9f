"""Any head on windows of the map: it sees the layout, and says what the head behind it says."""

import pytest
import torch

from mmcgan.models.heads import EachScale, OmniHead, OnWindows, PatchHead
from mmcgan.structures import Condition

OMNI = dict(type="OmniHead", num_classes=3)


def maps(size=4, channels=5):
    return torch.randn(8, channels, size, size, generator=torch.Generator().manual_seed(0))


def features(found):
    return {"map": found, "pooled": found.mean((2, 3))}


def test_the_layout_matters_where_pooled_features_cannot_see_it():
    found = maps()
    mirrored = found.flip(3)
    plain, layout = OmniHead(5, num_classes=3), OnWindows(5, OMNI)
    for head, moves in ((plain, False), (layout, True)):
        head.eval()
        scores = [head(features(seen), Condition())["score"] for seen in (found, mirrored)]
        assert scores[0].shape == (8, 5)
        assert bool((scores[0] - scores[1]).abs().amax(1).gt(1e-3).all()) is moves


def test_one_logit_is_the_mean_of_the_patches_of_one_convolution():
    """A linear head behind the windows is a convolution: PatchHead's with the product of both."""
    found = maps(size=6)
    head = OnWindows(5, dict(type="AdversarialHead", bias=False, spectral_norm=False), 4, spectral_norm=False)
    patches = PatchHead(5, spectral_norm=False, kernel_size=4, padding=0, bias=False)
    rows = head.head.linear.weight.detach()
    patches.conv.weight.data = torch.einsum("od,dcij->ocij", rows, head.conv.weight.detach())
    expected = patches({"map": found}, Condition())["logit"].mean((1, 2))
    torch.testing.assert_close(head(features(found), Condition())["logit"], expected)


def test_what_is_logged_is_what_the_head_behind_the_windows_says():
    head = EachScale(5, dict(type="OnWindows", head=OMNI), scales=2)
    assert head.emits == ("score_0", "score_1") and head.follows_init
    seen = {f"{name}_{i}": value for i in range(2) for name, value in features(maps()).items()}
    outputs = head(seen, Condition())
    scores = torch.stack([outputs["score_0"], outputs["score_1"]]).mean(0)
    torch.testing.assert_close(head.realness(outputs), scores[:, -2] - scores[:, -1])
    torch.testing.assert_close(head.class_scores(outputs), scores[:, :-2])
    proxies = OnWindows(5, dict(type="ProxyHead", num_classes=3, embed_dim=4))
    assert proxies.requires == ("label",)
    assert OnWindows.emits_with(dict(head=OMNI)) == ("score",)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="OnWindows: dim must be at least 1, got 0"):
        OnWindows(5, OMNI, dim=0)
    with pytest.raises(ValueError, match="OnWindows: kernel_size must be positive, got 0"):
        OnWindows(5, OMNI, kernel_size=0)
    with pytest.raises(ValueError, match="kernel_size=4 with padding=0 is larger than 'map', which is 2 x 2"):
        OnWindows(5, OMNI)(features(maps(size=2)), Condition())
