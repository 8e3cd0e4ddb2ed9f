import pytest
import torch

from mmcgan.models.layers.minibatch_std import MinibatchStd


def test_groups_take_samples_a_stride_apart():
    x = torch.randn(6, 4, 2, 2)
    y = MinibatchStd(group_size=3)(x)
    assert y.shape == (6, 5, 2, 2)
    torch.testing.assert_close(y[:, :4], x)
    for start in (0, 1):
        group = x[[start, start + 2, start + 4]]
        deviation = (group.var(0, unbiased=False) + 1e-8).sqrt().mean()
        torch.testing.assert_close(y[[start, start + 2, start + 4], 4], deviation.expand(3, 2, 2))


def test_several_channels_share_the_features():
    x = torch.zeros(4, 4, 2, 2)
    x[::2, 2:] = 1.0  # only the second half of the channels varies
    y = MinibatchStd(group_size=4, channels=2)(x)
    torch.testing.assert_close(y[:, 4], torch.full((4, 2, 2), 1e-4))
    torch.testing.assert_close(y[:, 5], torch.full((4, 2, 2), 0.5), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("batch", "group", "used"), [(6, 4, 3), (5, 4, 1), (3, 8, 3), (8, 0, 8)])
def test_a_batch_that_does_not_divide_takes_the_largest_divisor(batch, group, used):
    x = torch.randn(batch, 2, 2, 2)
    torch.testing.assert_close(MinibatchStd(group)(x), MinibatchStd(used)(x))


def test_equal_images_have_a_finite_gradient():
    x = torch.ones(4, 2, 2, 2, requires_grad=True)
    MinibatchStd()(x).sum().backward()
    assert x.grad.isfinite().all()


def test_impossible_groups_are_refused():
    with pytest.raises(ValueError, match="group_size=-1"):
        MinibatchStd(-1)
