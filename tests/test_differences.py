import math

import pytest
import torch

from mmcgan.differences import largest, largest_difference

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("values", [[NAN], [0.0, NAN], [NAN, 1.0], [2.0, NAN, 1.0], [INF, NAN]])
def test_a_nan_cannot_hide_wherever_it_stands(values):
    assert math.isnan(largest(values))
    assert math.isnan(largest_difference(torch.tensor(values), torch.zeros(len(values))))
    assert math.isnan(largest_difference(torch.zeros(len(values)), torch.tensor(values)))
    assert not largest(values) <= 1e9  # as checks compare


def test_numbers():
    assert largest([]) == 0.0 and largest([1.0, 3.0, 2.0]) == 3.0 and largest([1.0, INF]) == INF
    assert largest_difference(torch.tensor([1.0, -2.0]), torch.tensor([1.5, 1.0])) == 3.0
    assert largest_difference(torch.zeros(2), torch.zeros(3)) == INF
    assert largest_difference(torch.zeros(0), torch.zeros(0)) == 0.0
    assert math.isnan(largest_difference(torch.tensor([INF]), torch.tensor([INF])))
