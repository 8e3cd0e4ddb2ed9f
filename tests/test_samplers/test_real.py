"""Conditions of real images."""

import pytest
import torch

from mmcgan.random import make_generator
from mmcgan.samplers import RealCondition
from mmcgan.structures import Condition

SET = dict(type="SyntheticLabelMaps", num_map_classes=4, image_size=(8, 12), size=6, has_edges=True)


def test_real_conditions_are_passed_on_in_order():
    condition = Condition(label_map=torch.arange(24).view(2, 3, 4))
    assert RealCondition().from_real(condition) is condition
    with pytest.raises(ValueError, match="the real images carry no condition"):
        RealCondition().from_real(Condition())


def test_without_real_images_items_of_a_set_are_drawn_from_the_generator():
    sampler = RealCondition(SET)
    first, again = (sampler.sample(40, make_generator(3)) for _ in range(2))
    assert first.label_map.shape == first.edge_map.shape == (40, 8, 12)
    assert first.edge_map.dtype == torch.bool
    assert torch.equal(first.label_map, again.label_map)
    assert not torch.equal(first.label_map, sampler.sample(40, make_generator(4)).label_map)
    assert len({tuple(m.flatten().tolist()) for m in first.label_map}) == 6
    with pytest.raises(ValueError, match=r"set condition_sampler.dataset"):
        RealCondition().sample(1, make_generator(0))
