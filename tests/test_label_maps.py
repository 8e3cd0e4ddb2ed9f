"""Maps of class ids: encoding, borders of instances, resizing, ids that no class has."""

import pytest
import torch

from mmcgan.label_maps import instance_edges, one_hot_map, resize_label_map, semantic_map
from mmcgan.structures import Condition, height_and_width

MAP = torch.tensor([[[0, 0, 2], [1, 1, 2]]])


def test_every_pixel_is_one_at_its_class_and_edges_come_last():
    edges = torch.tensor([[[False, True, True], [False, False, True]]])
    encoded = one_hot_map(MAP, 3, edges)
    assert encoded.shape == (1, 4, 2, 3) and encoded.dtype == torch.float32
    assert torch.equal(encoded[:, :3].argmax(1), MAP)
    assert torch.equal(encoded[:, :3].sum(1), torch.ones(1, 2, 3))
    assert torch.equal(encoded[:, 3], edges.float())


def test_ids_without_a_class_are_named():
    with pytest.raises(ValueError, match=r"class ids \[2\]; allowed are 0..1"):
        one_hot_map(MAP, 2)
    with pytest.raises(ValueError, match=r"class ids \[-1\]"):
        one_hot_map(MAP - 1, 3)


def test_a_condition_without_its_map_is_refused():
    with pytest.raises(ValueError, match=r"needs condition.label_map, present: nothing"):
        semantic_map(Condition(), 3, False)
    with pytest.raises(ValueError, match=r"needs condition.edge_map, present: \['label_map'\]"):
        semantic_map(Condition(label_map=MAP), 3, True)


def test_both_sides_of_a_border_are_marked_and_the_border_of_the_image_is_not():
    ids = torch.zeros(1, 4, 6, dtype=torch.int64)
    ids[:, 1:3, 2:4] = 26001
    expected = torch.tensor(
        [[0, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0]], dtype=torch.bool
    )
    assert torch.equal(instance_edges(ids)[0], expected)
    assert not instance_edges(torch.ones(2, 3, 3)).any()


def test_resizing_takes_the_pixel_that_networks_take():
    label_map = torch.arange(5 * 9).view(1, 5, 9)
    found = resize_label_map(label_map, (2, 4))
    rows, columns = [0, 2], [0, 2, 4, 6]
    assert torch.equal(found[0], label_map[0][rows][:, columns])
    assert found.dtype == torch.int64


def test_sizes_are_a_side_or_a_pair():
    assert height_and_width(64) == (64, 64)
    assert height_and_width([256, 512]) == (256, 512)
    for bad in (0, (1, 2, 3), (4, 0), (2.5, 4)):
        with pytest.raises(ValueError, match="image_size must be a side or"):
            height_and_width(bad)
