"""Settings that a description writes down as text mean what they say."""

import pytest
import torch

from mmcgan.models.layers import SpectralNormOptions
from tests.parity.checkers.spectral_norm import biggan_layer, plain
from tests.parity.runner import Unsupported

LINEAR = {"in_features": "7", "out_features": "5"}
CONVOLUTION = {"in_channels": "3", "out_channels": "4", "kernel_size": "(3, 3)", "padding": "1"}


def layer(settings, **more):
    read = {key: plain(value) for key, value in {**settings, **more}.items()}
    return biggan_layer(read, SpectralNormOptions())


@pytest.mark.parametrize("settings", [LINEAR, CONVOLUTION])
@pytest.mark.parametrize(
    ("text", "has_bias"), [("True", True), ("False", False), (False, False), ("1", True)]
)
def test_a_boolean_as_text(settings, text, has_bias):
    assert (layer(settings, bias=text).bias is not None) is has_bias


def test_pairs_and_numbers():
    assert layer(CONVOLUTION, stride="2")(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 4, 4)
    assert [plain(value) for value in ("3", "1e-06", "None", "orthogonal", 4)] == [
        3,
        1e-6,
        None,
        "orthogonal",
        4,
    ]


def test_what_is_not_known_is_named():
    with pytest.raises(Unsupported, match="sides differ"):
        layer(CONVOLUTION, kernel_size="(3, 1)")
    with pytest.raises(Unsupported, match="dilation"):
        layer(CONVOLUTION, dilation="2")
