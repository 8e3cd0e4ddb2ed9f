"""How networks take attributes: an embedding of every group, columns of the omni head."""

import pytest
import torch

from mmcgan.attributes import AttributeGroups
from mmcgan.models.conditioning import ConditionEmbedding, attribute_sizes
from mmcgan.models.generators import BigGANDeepGenerator, BigGANGenerator
from mmcgan.models.heads import OmniHead
from mmcgan.structures import Condition

SPEC = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"]}
GROUPS = AttributeGroups.from_config(SPEC)
SMALL = dict(
    image_size=16, num_classes=0, base_channels=4, latent_dim=12, shared_dim=5, attention_resolutions=()
)


def test_every_group_has_a_table_of_its_own_and_they_are_concatenated():
    module = ConditionEmbedding(attribute_sizes=[3, 2], attribute_dim=4)
    assert module.dim == 8 and module.requires == ("attributes",)
    vector = module(Condition(attributes=GROUPS.matching({"digit": "2"})))
    digit, domain = (part.weight for part in module.attributes.maps)
    assert torch.equal(vector[0], torch.cat([digit[:, 2], domain[:, 0]]))
    assert torch.equal(vector[1], torch.cat([digit[:, 2], domain[:, 1]]))


def test_a_free_group_sums_what_is_on():
    module = ConditionEmbedding(attribute_sizes=[2, 3], attribute_dim=4)
    vector = module(Condition(attributes=torch.tensor([[1.0, 0, 1, 0, 1], [0, 1, 0, 0, 0]])))
    free = module.attributes.maps[1].weight
    torch.testing.assert_close(vector[0, 4:], free[:, 0] + free[:, 2])
    assert not vector[1, 4:].any()


def test_one_group_or_a_sum_is_one_map_under_the_old_name():
    for module in (ConditionEmbedding(attribute_sizes=[5]), ConditionEmbedding(num_attributes=5)):
        assert list(module.state_dict()) == ["attributes.weight"]


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        ((None, None, "concatenate"), []),
        ((0, SPEC, "concatenate"), []),
        ((None, SPEC, "concatenate"), [3, 2]),
        ((5, SPEC, "sum"), [5]),
        ((5, None, "concatenate"), [5]),
    ],
)
def test_sizes_of_the_groups(arguments, sizes):
    assert attribute_sizes(*arguments) == sizes


def test_bad_sizes_and_columns_are_named():
    with pytest.raises(ValueError, match="attribute_embedding must be one of concatenate, sum; got 'add'"):
        attribute_sizes(5, SPEC, "add")
    with pytest.raises(ValueError, match="num_attributes=7, but attribute_groups has 5 names"):
        BigGANGenerator(**SMALL, num_attributes=7, attribute_groups=SPEC)
    generator = BigGANGenerator(**SMALL, attribute_groups=SPEC)
    with pytest.raises(ValueError, match="4 columns, the generator was built for num_attributes=5"):
        generator(torch.randn(1, generator.latent_dim), Condition(attributes=torch.zeros(1, 4)))
    with pytest.raises(ValueError, match=r"needs condition\.attributes"):
        generator(torch.randn(1, generator.latent_dim), Condition(label=torch.zeros(1, dtype=torch.int64)))


@pytest.mark.parametrize("kind", [BigGANGenerator, BigGANDeepGenerator])
@pytest.mark.parametrize("embedding", ["concatenate", "sum"])
def test_every_group_changes_the_image_and_learns(kind, embedding):
    torch.manual_seed(0)
    generator = kind(**SMALL, attribute_groups=SPEC, attribute_embedding=embedding).eval()
    assert generator.condition.dim == (10 if embedding == "concatenate" else 5)
    rows = GROUPS.matching({})
    latent = torch.randn(1, generator.latent_dim).expand(6, -1)
    images = generator(latent, Condition(attributes=rows))
    assert len(images.detach().flatten(1).unique(dim=0)) == 6
    images.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in generator.condition.attributes.parameters())


def test_the_omni_head_has_a_column_for_every_attribute():
    features = {"pooled": torch.randn(2, 8)}
    assert OmniHead(8, num_attributes=5)(features, Condition())["score"].shape == (2, 7)
    assert OmniHead(8, num_classes=5, num_attributes=0)(features, Condition())["score"].shape == (2, 7)
    with pytest.raises(ValueError, match="num_classes=5 and num_attributes=4: set that to 0"):
        OmniHead(8, num_classes=5, num_attributes=4)
    with pytest.raises(ValueError, match="OmniHead: num_classes must be at least 1"):
        OmniHead(8)
