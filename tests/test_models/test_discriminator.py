"""FreezeD and feature clipping, on every kind of backbone."""

import pytest
import torch

from mmcgan.models.discriminator import Discriminator
from mmcgan.models.gan import ConditionalGAN
from mmcgan.models.heads import ClassifierHead
from mmcgan.optim import GANOptimWrapperConstructor
from mmcgan.structures import Condition
from tests.test_models.stand_ins import batch, config

BACKBONES = {
    "BigGANBackbone": dict(image_size=32, base_channels=2, attention_resolutions=(16,)),
    "ResNetBackbone": dict(image_size=32, base_channels=2),
    "DCGANBackbone": dict(image_size=32, base_channels=2),
    "StyleGAN2Backbone": dict(image_size=32, channel_base=64, max_channels=4),
}
HEADS = dict(adv=dict(type="AdversarialHead"))


@pytest.mark.parametrize("kind", BACKBONES)
def test_the_first_stages_of_any_backbone_freeze(kind):
    backbone = {"type": kind, **BACKBONES[kind]}
    frozen = Discriminator(backbone, HEADS, freeze_stages=2)
    names = {name for name, p in frozen.named_parameters() if not p.requires_grad}
    expected = {f"backbone.{stage}." for stage in list(frozen.backbone.stages())[:2]}
    assert all(any(name.startswith(start) for name in names) for start in expected)
    assert all(name.split(".")[2] in {start.split(".")[2] for start in expected} for name in names)
    assert all(p.requires_grad for p in frozen.heads.parameters())


def test_attention_freezes_with_the_block_before_it():
    backbone = {"type": "BigGANBackbone", **BACKBONES["BigGANBackbone"]}
    frozen = Discriminator(backbone, HEADS, freeze_stages=1)
    assert not any(p.requires_grad for p in frozen.backbone.attention["0"].parameters())


def test_more_stages_than_there_are_names_them():
    backbone = {"type": "DCGANBackbone", **BACKBONES["DCGANBackbone"]}
    count = len(Discriminator(backbone, HEADS).backbone.stages())
    with pytest.raises(
        ValueError, match=rf"must lie in \[0, {count}\], got 9; DCGANBackbone has the stages bl"
    ):
        Discriminator(backbone, HEADS, freeze_stages=9)


def test_frozen_stages_keep_their_weights_while_the_rest_learns():
    settings = config()
    settings["discriminator"] = {**settings["discriminator"], "freeze_stages": 1}
    model = ConditionalGAN(**settings)
    before = {name: p.detach().clone() for name, p in model.discriminator.named_parameters()}
    adam = dict(optimizer=dict(type="Adam", lr=0.1, weight_decay=0.1))
    optimizers = GANOptimWrapperConstructor(dict(generator=adam, discriminator=adam))(model)
    for seed in range(2):
        model.train_step(batch(4, seed), optimizers)
    moved = {n for n, p in model.discriminator.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {"heads.adv.table.weight"}


def test_features_longer_than_the_limit_are_shortened():
    features = {"pooled": torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])}
    head = ClassifierHead(2, 3, spectral_norm=False, bias=False, max_norm=1.0)
    logits = head(features, Condition())["logits"]
    expected = torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]) @ head.linear.weight.T
    assert torch.allclose(logits, expected)
    with pytest.raises(ValueError, match=r"ClassifierHead: max_norm must be greater than 0, got 0.0"):
        ClassifierHead(2, 3, max_norm=0.0)
