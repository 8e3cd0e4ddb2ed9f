"""Small networks in the peers' words, for tests that need no golden data."""

import torch

from mmcgan.peers import DISCRIMINATOR, GENERATOR
from mmcgan.peers.translation import build_network as build
from mmcgan.peers.writing.export import export_network

GENERATOR_CONFIG = {
    "type": "BigGANGenerator",
    "image_size": 32,
    "num_classes": 5,
    "base_channels": 4,
    "latent_dim": 16,
    "shared_dim": 6,
    "attention_resolutions": [16],
}
DISCRIMINATOR_CONFIG = {
    "backbone": {"type": "BigGANBackbone", "image_size": 32, "base_channels": 4, "attention_resolutions": []},
    "heads": {"adv": {"type": "ProjectionHead", "num_classes": 5}},
}


def weights(role, config):
    """Return random weights of a network, none of which is 0 or 1 everywhere."""
    source = torch.Generator().manual_seed(3)
    state = build(role, config).state_dict()
    return {
        key: value + 0.02 * torch.rand(value.shape, generator=source) if value.is_floating_point() else value
        for key, value in state.items()
    }


def generator_state(to="biggan_pytorch", config=GENERATOR_CONFIG):
    """Return the state dict of a generator in the words of ``to``."""
    return export_network(to, GENERATOR, config, weights(GENERATOR, config)).state


def discriminator_state(to="biggan_pytorch", config=DISCRIMINATOR_CONFIG):
    """Return the state dict of a discriminator in the words of ``to``."""
    return export_network(to, DISCRIMINATOR, config, weights(DISCRIMINATOR, config)).state
