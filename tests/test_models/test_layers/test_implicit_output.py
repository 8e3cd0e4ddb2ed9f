"""The implicit layer: the same colours whatever the size, window and chunks they are asked in."""

import pytest
import torch
from torch.nn import functional as F

from mmcgan.models.layers.implicit_output import ImplicitOutput, pixel_centres
from mmcgan.models.layers.spectral_norm import applied_weight


def layer(channels=4, hidden=(6, 6), **options):
    torch.manual_seed(0)
    return ImplicitOutput(channels, hidden, **options).eval()


@pytest.fixture
def features():
    return torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))


def unfolded_reference(output, features, size):
    """Return the image by the paper's own route: unfold, sample, concatenate, network at every point."""
    native = features.shape[2:]
    columns = F.unfold(features, 3, padding=1).unflatten(2, native)
    position = pixel_centres(size).to(features)
    grid = position.flip(-1).expand(len(features), -1, -1, -1)
    sampled = F.grid_sample(columns, grid, align_corners=False).permute(0, 2, 3, 1)
    told = [position.expand(len(features), -1, -1, -1), torch.full((*sampled.shape[:3], 2), 2.0)]
    x = torch.cat([sampled, *told], dim=-1)
    for index, linear in enumerate(output.layers):
        x = F.linear(x if index == 0 else F.relu(x), applied_weight(linear), linear.bias)
    return torch.tanh(x).permute(0, 3, 1, 2)


@pytest.mark.parametrize("size", [(8, 8), (20, 13), (3, 40)])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
def test_equals_sampling_the_unfolded_map(features, size, hidden):
    output = layer(hidden=hidden)
    with torch.no_grad():
        torch.testing.assert_close(output(features, size), unfolded_reference(output, features, size))


@pytest.mark.parametrize("points", [1, 7, 64, 10**6])
def test_chunks_do_not_show(features, points):
    output = layer()
    with torch.no_grad():
        torch.testing.assert_close(output(features, (17, 11), points=points), output(features, (17, 11)))


def test_chunks_do_not_show_in_training(features):
    """Another power iteration per chunk, as in the authors' code, would change weights on the way."""
    whole, cut = layer().train(), layer().train()
    torch.testing.assert_close(whole(features, (9, 9)), cut(features, (9, 9), points=10))
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(cut.state_dict()[name], value)


@pytest.mark.parametrize("window", [(0, 0, 4, 5), (3, 2, 6, 7), (19, 29, 1, 1)])
def test_window_is_the_crop_of_the_whole(features, window):
    output = layer()
    top, left, height, width = window
    with torch.no_grad():
        whole = output(features, (20, 30))
        part = output(features, (20, 30), window)
    torch.testing.assert_close(part, whole[:, :, top : top + height, left : left + width])


def test_gradients_reach_features_and_weights(features):
    output = layer().double()
    features = features[:1, :, :4, :4].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: output(x, (5, 3), points=4), (features,))
    output(features, (5, 3)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in output.parameters())


def test_cell_settings_agree_at_the_native_size_only(features):
    native, relative = layer(cell="native"), layer(cell="relative")
    with torch.no_grad():
        torch.testing.assert_close(native(features), relative(features))
        assert not torch.allclose(native(features, (16, 16)), relative(features, (16, 16)))


def test_inputs_of_the_network():
    assert layer(96).layers[0].in_features == 868  # the released code
    assert layer(96, cell="none").layers[0].in_features == 866  # the paper's Table 7
    assert layer(96, cell="none", coordinates=False, kernel=1).layers[0].in_features == 96


def test_pixel_centres():
    centres = pixel_centres((2, 4))
    assert centres[:, 0, 0].tolist() == [-0.5, 0.5]
    assert centres[0, :, 1].tolist() == [-0.75, -0.25, 0.25, 0.75]


@pytest.mark.parametrize(
    ("size", "window", "message"),
    [
        ((0, 5), None, "at least 1"),
        ((8, 8), (0, 0, 9, 8), "does not lie in an image"),
        ((8, 8), (-1, 0, 2, 2), "does not lie in an image"),
        ((10**5, 10**5), None, "takes 120 GB; render it in windows"),
    ],
)
def test_impossible_sizes_are_named(features, size, window, message):
    with pytest.raises(ValueError, match=message):
        layer()(features, size, window)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cell": "big"}, "cell must be one of"), ({"kernel": 5}, "kernel must be 1 or 3")],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        layer(**options)
