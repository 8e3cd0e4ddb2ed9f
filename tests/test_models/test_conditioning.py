import pytest
import torch

from mmcgan.models.conditioning import ConditionEmbedding
from mmcgan.structures import Condition


def test_label_comes_before_attributes_and_instance():
    torch.manual_seed(0)
    module = ConditionEmbedding(
        5, 3, num_attributes=4, attribute_dim=2, instance_dim=6, instance_embedding_dim=7, spectral_norm=None
    )
    condition = Condition(
        torch.tensor([4, 1]), torch.randn(2, 6), torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0]])
    )
    vector = module(condition)
    assert module.dim == 12 and vector.shape == (2, 12)
    assert torch.equal(vector[:, :3], module.label.weight[[4, 1]])
    rows = module.attributes.weight.T
    torch.testing.assert_close(vector[:, 3:5], torch.stack([rows[0] + rows[2], torch.zeros(2)]))
    expected = condition.instance @ module.instance.weight.T + module.instance.bias
    torch.testing.assert_close(vector[:, 5:], expected)


def test_nothing_to_embed_is_none():
    module = ConditionEmbedding()
    assert module.dim == 0
    assert module(Condition(label=torch.tensor([3]))) is None


def test_raw_features_pass_through():
    module = ConditionEmbedding(instance_dim=4, instance_embedding_dim=0)
    feature = torch.randn(2, 4)
    assert torch.equal(module(Condition(instance=feature)), feature)


def test_a_missing_field_is_named():
    module = ConditionEmbedding(5, 3, instance_dim=4)
    with pytest.raises(ValueError, match=r"needs condition\.instance, present: \['label'\]"):
        module(Condition(label=torch.tensor([0])))


@pytest.mark.parametrize("label", [5, -1])
def test_labels_beyond_num_classes_are_named(label):
    with pytest.raises(ValueError, match="num_classes=5"):
        ConditionEmbedding(5, 3)(Condition(label=torch.tensor([0, label])))
