"""A gradient reaches a batch norm in the layout of its maps: otherwise it takes 5 to 20 times as long."""

import pytest
import torch
from torch.nn import functional as F

from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition
from tests.test_models.test_float64 import GENERATOR_KINDS

CHANNELS_LAST = torch.channels_last


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_batch_norms_receive_gradients_in_the_layout_of_their_maps(kind, monkeypatch):
    network = GENERATORS.build(dict(GENERATOR_KINDS[kind])).to(memory_format=CHANNELS_LAST)
    plain, kept = F.batch_norm, []

    def watched(x, *arguments, **options):
        result = plain(x, *arguments, **options)
        if result.is_contiguous(memory_format=CHANNELS_LAST) and not result.is_contiguous():
            shape = tuple(result.shape[1:])
            result.register_hook(lambda g: kept.append((shape, g.is_contiguous(memory_format=CHANNELS_LAST))))
        return result

    monkeypatch.setattr(F, "batch_norm", watched)
    condition = Condition(label=torch.tensor([0, 2]), label_map=torch.randint(3, (2, 32, 32)))
    image = network(torch.randn(2, network.latent_dim), condition.only(network.requires))
    image.square().mean().backward()
    assert [shape for shape, same in kept if not same] == []
    if kind in ("attention", "resnet", "fastgan", "spade"):
        assert kept, "no batch norm of channels-last maps was seen"
