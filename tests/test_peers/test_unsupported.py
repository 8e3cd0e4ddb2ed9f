"""Weights of code bases that are not read are named as theirs."""

import pytest
import torch

from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.peers.reading.resolving import ConversionError


def rosinality_generator(channels=4, size=8, style=4):
    """Return the keys and shapes of rosinality's ``Generator(size, style, 2)``."""
    state = {f"style.{layer}.{part}": shape for layer in (1, 2) for part, shape in LINEAR.items()}
    state["input.input"] = (1, channels, 4, 4)
    names = ["conv1", "convs.0", "convs.1"]
    for name in names:
        state[f"{name}.conv.weight"] = (1, channels, channels, 3, 3)
        state[f"{name}.conv.modulation.weight"] = (channels, style)
        state[f"{name}.conv.modulation.bias"] = (channels,)
        state[f"{name}.noise.weight"] = (1,)
        state[f"{name}.activate.bias"] = (channels,)
    for name in ("to_rgb1", "to_rgbs.0"):
        state[f"{name}.bias"] = (1, 3, 1, 1)
        state[f"{name}.conv.weight"] = (1, 3, channels, 1, 1)
        state[f"{name}.conv.modulation.weight"] = (channels, style)
        state[f"{name}.conv.modulation.bias"] = (channels,)
    state |= {f"noises.noise_{i}": (1, 1, side, side) for i, side in enumerate((4, 8, 8))}
    return tensors(state)


LINEAR = {"weight": (4, 4), "bias": (4,)}


def rosinality_discriminator(channels=4):
    state = {"convs.0.0.weight": (channels, 3, 1, 1), "convs.0.1.bias": (channels,)}
    state |= {
        "convs.1.conv1.0.weight": (channels, channels, 3, 3),
        "convs.1.conv1.1.bias": (channels,),
        "convs.1.conv2.0.kernel": (4, 4),
        "convs.1.conv2.1.weight": (channels, channels, 3, 3),
        "convs.1.conv2.2.bias": (channels,),
        "convs.1.skip.0.kernel": (4, 4),
        "convs.1.skip.1.weight": (channels, channels, 1, 1),
        "final_conv.0.weight": (channels, channels + 1, 3, 3),
        "final_conv.1.bias": (channels,),
        "final_linear.0.weight": (channels, channels * 16),
        "final_linear.0.bias": (channels,),
        "final_linear.1.weight": (1, channels),
        "final_linear.1.bias": (1,),
    }
    return tensors(state)


def stylegan3_generator():
    state = {"mapping.fc0.weight": (4, 4), "mapping.fc0.bias": (4,), "mapping.w_avg": (4,)}
    state |= {"synthesis.input.freqs": (4, 2), "synthesis.input.weight": (4, 4)}
    return tensors(state | {"synthesis.L0_36_512.weight": (4, 4, 3, 3), "synthesis.L0_36_512.bias": (4,)})


def tensors(shapes):
    return {name: torch.randn(shape) for name, shape in shapes.items()}


FILES = {
    "rosinality": {"g_ema": rosinality_generator()},
    "rosinality both": {"g": rosinality_generator(), "d": rosinality_discriminator()},
    "bare generator": rosinality_generator(),
    "bare discriminator": rosinality_discriminator(),
    "stylegan3": {"G_ema": stylegan3_generator()},
}


@pytest.mark.parametrize("name", FILES)
def test_a_stylegan_of_another_code_base_is_named(name, tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save(FILES[name], path)
    whose = "StyleGAN3" if "3" in name else "rosinality"
    with pytest.raises(ConversionError, match=rf"{whose}.*: not supported\. StyleGAN2 is read as") as refusal:
        inspect_checkpoint(path)
    assert "missing" not in str(refusal.value)
