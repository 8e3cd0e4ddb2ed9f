import math

import pytest
import torch

from mmcgan.models.heads import DiscriminativeProxyHead, MappedProjectionHead
from mmcgan.structures import Condition

LABEL = torch.tensor([0, 2, 2])


def features(channels=6):
    torch.manual_seed(1)
    return {"pooled": torch.randn(3, channels)}


def test_logit_is_the_scaled_product_with_the_mapped_condition():
    torch.manual_seed(0)
    head = MappedProjectionHead(6, num_classes=3, dim=4, num_layers=2)
    condition = Condition(label=LABEL)
    outputs = head(features(), condition)
    direction = head.mapping(None, head.mapping.embed(condition))
    torch.testing.assert_close(outputs["embed"], head.linear(features()["pooled"]))
    torch.testing.assert_close(outputs["logit"], (outputs["embed"] * direction).sum(1) / math.sqrt(4))


def test_the_condition_decides_alone():
    head = MappedProjectionHead(6, num_classes=3)
    one = {"pooled": torch.randn(1, 6).expand(3, -1)}
    logit = head(one, Condition(label=LABEL))["logit"]
    assert (logit[0] - logit[1]).abs() > 1e-4
    # two rows of one batch: a processor may add them up in another order
    torch.testing.assert_close(logit[1], logit[2], rtol=1e-5, atol=1e-6)


def test_label_and_instance_are_both_required_and_used():
    head = MappedProjectionHead(6, num_classes=3, instance_dim=5, label_dim=2, instance_embedding_dim=3)
    assert head.requires == ("label", "instance")
    pooled, instance = features(), torch.randn(2, 3, 5)
    first, second = (head(pooled, Condition(label=LABEL, instance=own))["logit"] for own in instance)
    assert (first - second).abs().max() > 1e-6


def test_a_condition_is_needed():
    with pytest.raises(ValueError, match="needs num_classes or instance_dim above 0"):
        MappedProjectionHead(6, num_classes=0)


def test_real_and_generated_proxies_are_different_rows():
    torch.manual_seed(0)
    head = DiscriminativeProxyHead(6, num_classes=3, embed_dim=4, spectral_norm=False, normalize=False)
    outputs = head(features(), Condition(label=LABEL))
    torch.testing.assert_close(outputs["proxy"], head.embed.weight[2 * LABEL])
    torch.testing.assert_close(outputs["fake_proxy"], head.embed.weight[2 * LABEL + 1])
    assert head.class_scores(outputs).shape == (3, 3)


def test_proxies_are_normalised_on_demand():
    head = DiscriminativeProxyHead(6, num_classes=3, embed_dim=4)
    outputs = head(features(), Condition(label=LABEL))
    assert all(torch.allclose(value.norm(dim=1), torch.ones(3)) for value in outputs.values())
