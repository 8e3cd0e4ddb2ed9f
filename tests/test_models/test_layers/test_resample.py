import pytest
import torch
from torch.nn import functional as F

from mmcgan.models.layers.resample import BINOMIAL, FIRFilter

TAPS = [(1, 1), BINOMIAL, (1, 2, 1), (1, 4, 6, 4, 1), (1, 5, 10, 10, 5, 1)]


def zero_insertion(x, taps):
    """Doubling as it is defined: zeros between the pixels, then the filter with gain 4."""
    row = torch.tensor(taps, dtype=x.dtype) / sum(taps)
    kernel = (torch.outer(row, row) * 4).expand(x.shape[1], 1, -1, -1)
    wide = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    wide[:, :, ::2, ::2] = x
    before, after = (len(taps) + 1) // 2, (len(taps) - 2) // 2
    return F.conv2d(F.pad(wide, (before, after, before, after)), kernel, groups=x.shape[1])


@pytest.mark.parametrize("taps", TAPS)
def test_doubling_is_zero_insertion_and_a_filter(taps):
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    doubled = FIRFilter(taps).upsample(x)
    assert doubled.shape == (2, 3, 10, 10)
    torch.testing.assert_close(doubled, zero_insertion(x, taps), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("taps", TAPS)
def test_a_constant_stays_the_same_away_from_the_border(taps):
    constant, fir = torch.full((1, 2, 16, 16), 0.7), FIRFilter(taps)
    halved = fir.downsample(constant)
    assert halved.shape == (1, 2, 8, 8)
    torch.testing.assert_close(halved[:, :, 2:-2, 2:-2], torch.full((1, 2, 4, 4), 0.7))
    if len(taps) % 2 == 0:  # an odd filter has no half-pixel centre: its phases weigh differently
        doubled = fir.upsample(constant)
        torch.testing.assert_close(doubled[:, :, 4:-4, 4:-4], torch.full((1, 2, 24, 24), 0.7))


def test_a_filter_is_differentiable_twice():
    fir = FIRFilter().to(torch.float64)
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda value: fir.upsample(value).square(), (x,))
    assert torch.autograd.gradgradcheck(lambda value: fir.downsample(value).square(), (x,))


def test_filters_are_not_in_checkpoints():
    assert not FIRFilter().state_dict()


@pytest.mark.parametrize("taps", [(1,), (), (1, -1), (-1, 1, 1, -1)])
def test_impossible_taps_are_refused(taps):
    with pytest.raises(ValueError, match="at least two, with a sum other than 0"):
        FIRFilter(taps)
