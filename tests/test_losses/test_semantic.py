"""Losses of semantic synthesis: per-pixel omni-loss, feature maps, the latent's law, VGG19's features."""

import pytest
import torch

from mmcgan.checkpoints import CheckpointError
from mmcgan.losses import FeatureMapLoss, LatentLawLoss, OmniLoss, PerceptualLoss, omni_loss
from mmcgan.losses.perceptual import VGG19Features
from mmcgan.registry import LOSSES

SCORE = torch.randn(2, 5, 2, 3, generator=torch.Generator().manual_seed(0))
MAP = torch.randint(3, (2, 4, 6), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_the_dense_omni_loss_is_that_of_every_pixel_with_its_class(view, one_sided):
    loss = OmniLoss(one_sided=one_sided)
    small = MAP[:, ::2, ::2]
    pixels = [
        getattr(loss, view)(SCORE[i, None, :, row, column], small[i, row, column][None])
        for i in range(2)
        for row in range(2)
        for column in range(3)
    ]
    dense = getattr(loss, view)(SCORE, label_map=MAP)
    torch.testing.assert_close(dense, torch.stack(pixels).mean())


def test_the_dense_omni_loss_names_what_does_not_fit():
    with pytest.raises(ValueError, match="exactly one of 'label', 'attributes' and 'label_map'"):
        OmniLoss().real(SCORE, label=MAP[:, 0, 0], label_map=MAP)
    with pytest.raises(ValueError, match=r"label_map needs scores \(N, C \+ 2, H, W\), got \(2, 5\)"):
        OmniLoss().real(SCORE[:, :, 0, 0], label_map=MAP)
    with pytest.raises(ValueError, match=r"class ids \[3\]; allowed are 0..2"):
        OmniLoss().real(SCORE, label_map=MAP.fill_(3))
    assert omni_loss(SCORE, SCORE > 0, SCORE <= 0).shape == (2, 2, 3)


def test_feature_maps_are_compared_image_by_image_against_constants():
    fake = torch.rand(2, 3, 4, 5, requires_grad=True)
    real = torch.rand(2, 3, 4, 5, requires_grad=True)
    value = FeatureMapLoss().generator({"feature": fake}, {"feature": real})
    value.backward()
    torch.testing.assert_close(value, (fake - real).abs().mean())
    assert real.grad is None and fake.grad is not None
    with pytest.raises(ValueError, match=r"leave step.generator_batch_size unset"):
        FeatureMapLoss().generator({"feature": fake}, {"feature": real[:1]})


def test_the_divergence_is_summed_and_zero_for_the_law_that_is_sampled():
    zero = torch.zeros(3, 4)
    assert LatentLawLoss().generated(zero, zero) == 0
    mean, log_variance = torch.randn(3, 4), torch.randn(3, 4)
    ours = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(LatentLawLoss().generated(mean, log_variance), expected)


class Taps(torch.nn.Module):
    """Two taps of an image."""

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 2, 1)

    def forward(self, image):
        return [image, self.convolution(image)]


def test_the_perceptual_loss_weights_its_taps_and_keeps_its_network_out_of_checkpoints():
    network = Taps()
    loss = PerceptualLoss(tap_weights=(0.5, 2.0), features=network)
    fake, real = torch.rand(2, 3, 4, 4, requires_grad=True), torch.rand(2, 3, 4, 4)
    value = loss.generator({"image": fake}, {"image": real})
    deep = (network(fake)[1] - network(real)[1]).abs().mean()
    torch.testing.assert_close(value, 0.5 * (fake - real).abs().mean() + 2 * deep)
    assert loss.state_dict() == {} and list(loss.parameters()) == []
    assert not network.convolution.weight.requires_grad


def test_without_its_file_the_perceptual_loss_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"no vgg19-dcbb9e9d.pth in .* Nothing is downloaded.* weights_file="
    ):
        LOSSES.build(dict(type="PerceptualLoss"))
    (tmp_path / "mine.pth").write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected dcbb9e9d"):
        LOSSES.build(dict(type="PerceptualLoss", weights_file=str(tmp_path / "mine.pth")))


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    with pytest.raises(CheckpointError, match=r"missing: features.0.bias"):
        VGG19Features().load(tmp_path / "vgg.pth")
