import pytest
import torch

from mmcgan.models.discriminator import Discriminator
from mmcgan.models.heads import ConditionProjectionHead
from mmcgan.structures import Condition


def test_label_and_instance_share_the_features():
    torch.manual_seed(0)
    head = ConditionProjectionHead(6, 4, instance_dim=5, spectral_norm=None)
    h, label, instance = torch.randn(2, 6), torch.tensor([3, 0]), torch.randn(2, 5)
    logit = head({"pooled": h}, Condition(label, instance))["logit"]
    by_label = (head.embed.weight[label] * h[:, :3]).sum(1)
    by_instance = ((instance @ head.instance.weight.T + head.instance.bias) * h[:, 3:]).sum(1)
    expected = h @ head.linear.weight[0] + head.linear.bias + by_label + by_instance
    torch.testing.assert_close(logit, expected)


@pytest.mark.parametrize(
    ("settings", "requires"),
    [((4, 0), ("label",)), ((0, 5), ("instance",)), ((4, 5), ("label", "instance"))],
)
def test_requires_what_it_embeds(settings, requires):
    assert ConditionProjectionHead(6, *settings).requires == requires


def test_a_discriminator_without_the_instance_says_so():
    network = Discriminator(
        {"type": "BigGANBackbone", "image_size": 16, "base_channels": 2},
        {"adv": {"type": "ConditionProjectionHead", "num_classes": 0, "instance_dim": 5}},
    )
    with pytest.raises(ValueError, match="instance"):
        network(torch.zeros(1, 3, 16, 16), Condition(label=torch.tensor([0])))


def test_bad_sizes():
    with pytest.raises(ValueError, match="num_classes or instance_dim above 0"):
        ConditionProjectionHead(6, 0)
    with pytest.raises(ValueError, match="in_channels=7, which must be even"):
        ConditionProjectionHead(7, 4, 5)
