"""Loaders of SNGAN, SAGAN and DCGAN weights: parameter counts, and what they refuse."""

import itertools
import json

import pytest
import torch

from mmcgan.peers import UnsupportedSetting, peer_format
from mmcgan.structures import Condition
from tests.test_parity.golden_sets import full_set

FULL = full_set()
needs_golden = pytest.mark.skipif(FULL is None, reason="golden data not found (set MMCGAN_GOLDEN)")
KEYS = {
    "G": ("z_dim", "g_shared_dim", "g_conv_dim", "g_cond_mtd", "attn_g_loc"),
    "D": ("d_conv_dim", "d_cond_mtd", "aux_cls_type", "attn_d_loc", "d_embed_dim", "normalize_d_embed"),
}
TABLE = ("backbone", "apply_g_sn", "apply_d_sn", "g_act_fn", "d_act_fn")


def description(config, player):
    """Return the description of one network of a row of StudioGAN's table of settings."""
    settings = {key: config[key] for key in ("img_size", "num_classes", "apply_attn", *KEYS[player])}
    return {
        "kind": f"network/{config['backbone']}/{player}",
        "constructor_kwargs": settings,
        "model_config": {key: config[key] for key in TABLE},
    }


@needs_golden
def test_parameter_counts_of_studiogan():
    configs = json.loads((FULL / "studiogan" / "config_matrix.json").read_text())["configs"]
    counts = json.loads((FULL / "studiogan" / "param_counts.json").read_text())["models"]
    expected = {(model["dataset"], model["name"]): model for model in counts}
    compared = set()
    for config, player in itertools.product(configs, "GD"):
        if config["backbone"] not in ("resnet", "deep_conv") or "Info" in config["name"]:
            continue
        try:
            spec = description(config, player)
            with torch.device("meta"):
                network = peer_format("studiogan", spec).build(spec)
        except UnsupportedSetting:
            continue
        count = sum(parameter.numel() for parameter in network.parameters())
        row = expected[config["dataset"], config["name"]]
        assert count == row[f"{player.lower()}_params"], (config["dataset"], config["name"], player)
        compared.add((config["backbone"], config["img_size"], player, count))
    assert {(backbone, player) for backbone, _, player, _ in compared} == {
        (backbone, player) for backbone in ("resnet", "deep_conv") for player in "GD"
    }
    assert len(compared) >= 10


STUDIOGAN = {
    "kind": "network/resnet/D",
    "constructor_kwargs": {"img_size": 32, "d_conv_dim": 2, "num_classes": 3, "apply_d_sn": True},
    "model_config": {"backbone": "resnet"},
}


def test_classifier_heads_of_studiogan():
    spec = {**STUDIOGAN, "constructor_kwargs": {**STUDIOGAN["constructor_kwargs"], "d_cond_mtd": "AC"}}
    network = peer_format("studiogan", spec).build(spec)
    assert set(network.emits) >= {"adv.logit", "cls.logits"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_cond_mtd": "SPD"}, "d_cond_mtd='SPD'"),
        ({"d_cond_mtd": "2C"}, "d_embed_dim=None: proxies need a length"),
        ({"aux_cls_type": "TAC"}, "aux_cls_type='TAC'"),
        ({"d_act_fn": "Swish"}, "d_act_fn='Swish'"),
        ({"d_sharpness": 3}, "d_sharpness"),
    ],
)
def test_settings_without_counterpart_are_named(changes, message):
    spec = {**STUDIOGAN, "constructor_kwargs": {**STUDIOGAN["constructor_kwargs"], **changes}}
    with pytest.raises(UnsupportedSetting, match=message):
        peer_format("studiogan", spec).build(spec)


GENERATOR = {"type": "SNGANGenerator", "output_scale": 32, "base_channels": 2, "noise_size": 4}
DISCRIMINATOR = {"type": "ProjDiscriminator", "input_scale": 64, "base_channels": 8}


@pytest.mark.parametrize(
    "constructor",
    [
        {**GENERATOR, "use_cbn": False},
        {**GENERATOR, "num_classes": 3, "channels_cfg": [4, 2, 1], "norm_eps": 1e-3},
        {**GENERATOR, "num_classes": 3, "channels_cfg": {"32": [1, 1, 1]}, "with_spectral_norm": True},
        {**GENERATOR, "num_classes": 3, "base_channels": 8, "attention_after_nth_block": 1},
        {**GENERATOR, "num_classes": 3, "init_cfg": {"type": "SNGAN-PROJ"}, "output_scale": 64},
        DISCRIMINATOR,
        {**DISCRIMINATOR, "num_classes": 3, "sn_style": "ajbrock", "attention_after_nth_block": 1},
        {**DISCRIMINATOR, "num_classes": 3, "with_spectral_norm": False, "input_scale": 128},
        {**DISCRIMINATOR, "channels_cfg": [2, 2], "downsample_cfg": [True, False], "input_scale": 16},
    ],
    ids=lambda value: json.dumps(value),
)
def test_settings_of_mmagic_build_and_run(constructor):
    spec = {"constructor": constructor}
    network = peer_format("mmagic", spec).build(spec).eval()
    role = peer_format("mmagic", spec).role_of(spec)
    label = torch.tensor([0, 2])
    if role == "generator":
        size = constructor["output_scale"]
        assert network(torch.randn(2, 4), Condition(label=label)).shape == (2, 3, size, size)
    else:
        size = constructor["input_scale"]
        assert network(torch.randn(2, 3, size, size), Condition(label=label))["adv.logit"].shape == (2,)


@pytest.mark.parametrize(
    ("constructor", "message"),
    [
        ({**GENERATOR, "output_scale": 256}, "no channel table for size 256"),
        ({**GENERATOR, "init_cfg": {"type": "magic"}}, "init_cfg.type='MAGIC'"),
        ({**GENERATOR, "attention_cfg": {"type": "Fancy"}}, "type='Fancy'"),
        ({**GENERATOR, "sn_style": "mine"}, "sn_style='mine'"),
        ({**GENERATOR, "twist": 1}, "twist"),
        ({**DISCRIMINATOR, "attention_after_nth_block": [1, 2]}, "mixes spectral norms"),
    ],
)
def test_settings_of_mmagic_without_counterpart_are_named(constructor, message):
    spec = {"constructor": constructor}
    with pytest.raises(UnsupportedSetting, match=message):
        peer_format("mmagic", spec).build(spec)
