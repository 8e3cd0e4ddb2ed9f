"""Loaders of StyleGAN2 weights: parameter counts, round trips, and what they refuse."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmcgan.peers import UnsupportedSetting, peer_format
from mmcgan.peers.translation import read_condition
from mmcgan.structures import Condition
from tests.parity import check_file
from tests.test_parity.golden_sets import full_set
from tests.test_parity.test_can_fail import scale

FULL = full_set()
needs_golden = pytest.mark.skipif(FULL is None, reason="golden data not found (set MMCGAN_GOLDEN)")


def count(peer, spec):
    with torch.device("meta"):
        network = peer_format(peer, spec).build(spec)
    return sum(parameter.numel() for parameter in network.parameters())


def studiogan(config, player):
    """Describe one network of a row of StudioGAN's table of settings as its trainer builds it."""
    channels = {"channel_base": 32768 if config["img_size"] >= 512 else 16384, "channel_max": 512}
    style, size = config["stylegan"], {"img_resolution": config["img_size"], "img_channels": 3}
    classes = config["num_classes"]
    if player == "G":
        settings = {
            "z_dim": config["z_dim"],
            "w_dim": config["w_dim"],
            "c_dim": classes if config["g_cond_mtd"] == "cAdaIN" else 0,
            "mapping_kwargs": {"num_layers": style["mapping_network"]},
            "synthesis_kwargs": channels,
        }
    else:
        heads = ("d_cond_mtd", "aux_cls_type", "d_embed_dim", "normalize_d_embed", "num_classes")
        settings = {
            **{key: config[key] for key in heads},
            "c_dim": classes if config["d_cond_mtd"] in ("SPD", "2C", "D2DCE") else 0,
            "architecture": style["d_architecture"],
            "epilogue_kwargs": {"mbstd_group_size": style["d_epilogue_mbstd_group_size"]},
            **channels,
        }
    model = {"backbone": "stylegan2"}
    return {
        "kind": f"network/stylegan2/{player}",
        "constructor_kwargs": {**size, **settings},
        "model_config": model,
    }


@needs_golden
def test_parameter_counts_of_studiogan():
    configs = json.loads((FULL / "studiogan" / "config_matrix.json").read_text())["configs"]
    counts = json.loads((FULL / "studiogan" / "param_counts.json").read_text())["models"]
    expected = {(model["dataset"], model["name"]): model for model in counts}
    compared = set()
    for config in configs:
        key = config["dataset"], config["name"]
        if config["backbone"] != "stylegan2" or "Info" in config["name"] or key not in expected:
            continue
        for player in "GD":
            row = expected[key][f"{player.lower()}_params"]
            if (config["img_size"], player, row) not in compared:  # many rows are alike
                assert count("studiogan", studiogan(config, player)) == row, (*key, player)
                compared.add((config["img_size"], player, row))
    assert {size for size, *_ in compared} >= {32, 64, 128}


@needs_golden
def test_parameter_counts_of_ic_gan():
    models = json.loads((FULL / "param_counts_biggan_icgan.json").read_text())
    rows = [row for row in models["models"] if "stylegan2" in row["peer"]]
    assert len(rows) >= 4
    for row in rows:
        for player in "GD":
            assert count("ic_gan", {"constructor_kwargs": row[f"{player}_kwargs"]}) == row[player], row[
                "model"
            ]


def test_the_generator_of_reacgan_and_ic_gan_without_golden_data():
    """CIFAR10 (StudioGAN) and COCO-Stuff 128 (IC-GAN, Table 2: 24 M)."""
    sizes = {"z_dim": 512, "w_dim": 512, "mapping_kwargs": {"num_layers": 2}}
    channels = {"synthesis_kwargs": {"channel_base": 16384}}
    cifar = {**sizes, **channels, "c_dim": 10, "img_resolution": 32}
    coco = {**sizes, **channels, "c_dim": 0, "h_dim": 2048, "img_resolution": 128}
    assert count("ic_gan", {"constructor_kwargs": cifar}) == 20_215_315
    assert count("ic_gan", {"constructor_kwargs": coco}) == 24_260_509


MMAGIC = [
    {"type": "StyleGAN2Generator", "out_size": 32, "style_channels": 8, "num_mlps": 2, "bgr2rgb": True},
    {"type": "StyleGANv2Generator", "out_size": 64, "style_channels": 8, "num_mlps": 1, "cond_size": 3},
    {"type": "StyleGAN2Discriminator", "in_size": 32},
    {"type": "StyleGANv2Discriminator", "in_size": 16, "cond_size": 3, "mbstd_cfg": {"group_size": 2}},
]


@pytest.mark.parametrize("constructor", MMAGIC, ids=lambda value: json.dumps(value))
def test_settings_of_mmagic_build(constructor):
    spec = {"constructor": constructor}
    with torch.device("meta"):
        network = peer_format("mmagic", spec).build(spec)
    size = constructor.get("out_size", constructor.get("in_size"))
    backbone = getattr(network, "backbone", network)
    assert backbone.image_size == size
    widest = max(parameter.shape[0] for parameter in network.parameters() if parameter.dim() == 4)
    assert widest == 512  # whatever the multiplier, up to 32 x 32


def changed(folder, case, change):
    """Write a changed copy of a case of the full set."""
    source, stem = FULL / case, folder / "case"
    tensors = load_file(source.with_name(source.name + ".safetensors"))
    change(tensors)
    save_file(tensors, stem.with_suffix(".safetensors"))
    stem.with_suffix(".json").write_text(source.with_name(source.name + ".json").read_text())
    return stem


@needs_golden
@pytest.mark.parametrize(
    ("case", "key"),
    [
        ("ic_gan/ic_gan__sg2_G_classinst32", "out/ws_psi0.7_cutoff4"),
        ("ic_gan/ic_gan__sg2_G_resnet32", "after/mapping.w_avg"),
        ("ic_gan/ic_gan__sg2_loss_class_mixing", "out/Gboth/Loss/pl_penalty"),
        ("ic_gan/ic_gan__sg2_loss_instance", "in/Greg/draw0_randn_like"),
        ("ic_gan/ic_gan__sg2_loss_instance", "out/Dreg/Loss/r1_penalty"),
        ("studiogan/studiogan__d_stylegan2_32_d2dce_adc_fake", "out/eval/proxy"),
        ("studiogan/studiogan__g_stylegan2_32_cadain", "out/eval/image_noise_random_torchseed5"),
        ("studiogan/studiogan__g_stylegan2_32_cadain", "out/w_avg_after_update_emas"),
        ("mmagic/mmagic__stylegan2_g32_uncond", "out/eval_mix_inject3"),
        ("mmagic/mmagic__stylegan2_g32_uncond", "in/injected_noise_4"),
    ],
)
@pytest.mark.broad  # a walk of ten seconds and more
def test_a_change_of_one_percent_fails(tmp_path, case, key):
    assert check_file(changed(tmp_path, case, lambda tensors: None)).status == "pass"
    record = check_file(changed(tmp_path, case, scale(key)))
    assert record.status == "fail"
    assert "differ" in record.reason


ADA_G = {"z_dim": 4, "w_dim": 4, "img_resolution": 16, "synthesis_kwargs": {"channel_max": 4}}
ADA_D = {"img_resolution": 16, "channel_max": 4}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**ADA_G, "img_channels": 1}, "img_channels=1"),
        ({**ADA_G, "mapping_kwargs": {"layer_features": 9}}, "layer_features=9"),
        ({**ADA_G, "synthesis_kwargs": {"activation": "relu"}}, "activation='relu'"),
        ({**ADA_G, "synthesis_kwargs": {"use_noise": False}}, "use_noise=False"),
        ({**ADA_G, "twist": 1}, "twist"),
        ({**ADA_D, "block_kwargs": {"freeze_layers": 2}}, "freeze_layers=2"),
        ({**ADA_D, "epilogue_kwargs": {"mbstd_group_size": 0}}, "mbstd_group_size=0"),
        ({**ADA_D, "mapping_kwargs": {"lr_multiplier": 1}}, "lr_multiplier=1 of the discriminator"),
    ],
)
def test_settings_without_counterpart_are_named(settings, message):
    spec = {"constructor_kwargs": settings}
    with pytest.raises(UnsupportedSetting, match=message):
        peer_format("ic_gan", spec).build(spec)


def test_studiogans_projection_that_never_ran_is_refused():
    spec = {
        "kind": "network/stylegan2/D",
        "constructor_kwargs": {**ADA_D, "d_cond_mtd": "PD", "num_classes": 3},
        "model_config": {"backbone": "stylegan2"},
    }
    with pytest.raises(UnsupportedSetting, match="d_cond_mtd='PD'"):
        peer_format("studiogan", spec).build(spec)


def test_conditions_are_read_from_rows():
    one_hot, instance = torch.eye(3)[[2, 0]], torch.randn(2, 4)
    read = read_condition({"label": one_hot, "instance": instance})
    assert read.label.tolist() == [2, 0]
    assert read.instance is instance
    assert read_condition({"label": torch.zeros(2, 0), "instance": torch.zeros(2, 0)}) == Condition()
    with pytest.raises(UnsupportedSetting, match="not one-hot"):
        read_condition({"label": torch.full((2, 3), 0.5)})
