"""Loaders of the peers' weights: every golden network of their formats, and what they refuse."""

import itertools
import json
import os
from pathlib import Path

import pytest
import torch

from mmcgan.peers import PEERS, UnsupportedSetting, peer_format, recognise
from mmcgan.peers.translation import Settings
from tests.parity import find_cases, load_case
from tests.parity.kinds import kind_of

GOLDEN = Path(os.environ.get("MMCGAN_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not found (set MMCGAN_GOLDEN)")
FORMATS = ("biggan_pytorch", "omnigan", "ic_gan_biggan", "studiogan_big_resnet", "mmagic_biggan")


def cases():
    """Return the stem and format of every golden network that one of our formats accepts."""
    found = []
    for stem in find_cases(GOLDEN) if GOLDEN.exists() else []:
        spec = json.loads(stem.with_name(stem.name + ".json").read_text())
        kind = str(spec.get("kind", "network"))
        names = [n for n in FORMATS if n.split("_")[0] in stem.name and kind.startswith("network")]
        found += [pytest.param(stem, id=stem.name) for name in names if PEERS[name].accepts(spec)]
    return found


@needs_golden
def test_unsupported_cases_are_those_of_later_issues():
    later = ("g_big_resnet_32_info_both",)
    names = [stem.values[0].name for stem in cases()]
    unsupported = {stem.values[0].name for stem in cases() if not loads(stem.values[0])}
    assert {name for name in unsupported if not any(word in name for word in later)} == set()
    assert len(names) - len(unsupported) >= 38


def loads(stem):
    case = load_case(stem)
    try:
        peer_format(case.peer, case.spec).build(case.spec)
    except UnsupportedSetting:
        return False
    return True


@needs_golden
@pytest.mark.broad  # networks of full width
def test_parameter_counts_of_the_papers():
    models = json.loads((GOLDEN / "param_counts_biggan_icgan.json").read_text())["models"]
    seen = set()
    for model, player in itertools.product(models, "GD"):
        peer = "ic_gan" if model["peer"].startswith("ic_gan") else "biggan_pytorch"
        settings = model.get(f"{player}_kwargs") or {}
        key = json.dumps([peer, settings], sort_keys=True)
        if key in seen:
            continue
        try:
            format_ = peer_format(peer, {"constructor_kwargs": settings})
            with torch.device("meta"):
                network = format_.build({"constructor_kwargs": settings})
        except UnsupportedSetting:
            continue
        unused = 128_000 if player == "G" and settings.get("class_cond") is False else 0
        assert sum(p.numel() for p in network.parameters()) + unused == model[player], model["model"]
        seen.add(key)
    assert len(seen) >= 40


@needs_golden
@pytest.mark.broad  # networks of full width
def test_parameter_counts_of_studiogan():
    configs = json.loads((GOLDEN / "studiogan" / "config_matrix.json").read_text())["configs"]
    counts = json.loads((GOLDEN / "studiogan" / "param_counts.json").read_text())["models"]
    expected = {(m["dataset"], m["name"]): m for m in counts}
    seen = {}
    for config in configs:
        if config["backbone"] != "big_resnet" or "Info" in config["name"]:
            continue
        for player in "gd":
            spec = studiogan_spec(config, player)
            key = json.dumps(spec, sort_keys=True)
            if key not in seen:
                seen[key] = studiogan_count(spec)
            if seen[key] is not None:
                assert seen[key] == expected[config["dataset"], config["name"]][f"{player}_params"], config[
                    "name"
                ]
    assert len([count for count in seen.values() if count]) >= 10


def studiogan_spec(config, player):
    """Return the description of one network of a row of the peer's table of settings."""
    own = [f"{player}_conv_dim", f"{player}_init", f"{player}_depth", f"attn_{player}_loc"]
    own += {
        "g": ["z_dim", "g_shared_dim", "g_cond_mtd"],
        "d": ["d_cond_mtd", "aux_cls_type", "apply_d_sn", "d_embed_dim", "normalize_d_embed"],
    }[player]
    settings = {name: config[name] for name in ["img_size", "num_classes", "apply_attn", *own]}
    table = {"backbone": "big_resnet", "apply_g_sn": config["apply_g_sn"]}
    return {
        "kind": f"network/big_resnet/{player.upper()}",
        "constructor_kwargs": settings,
        "model_config": table,
    }


def studiogan_count(spec):
    try:
        with torch.device("meta"):
            network = peer_format("studiogan", spec).build(spec)
    except UnsupportedSetting:
        return None
    return sum(p.numel() for p in network.parameters())


BIGGAN_G = {
    "G_ch": 2,
    "resolution": 32,
    "n_classes": 3,
    "dim_z": 8,
    "shared_dim": 4,
    "hier": True,
    "G_attn": "0",
}
MMAGIC_G = {"type": "BigGANGenerator", "output_scale": 32, "out_norm_cfg": {"type": "IN"}, "num_classes": 2}
BIGGAN_D = {"D_ch": 2, "resolution": 32, "n_classes": 3, "D_attn": "0"}


@pytest.mark.parametrize(
    ("peer", "spec", "message"),
    [
        ("biggan_pytorch", {"constructor_kwargs": {**BIGGAN_G, "G_colour": 1}}, "unknown settings.*G_colour"),
        ("biggan_pytorch", {"constructor_kwargs": {**BIGGAN_G, "norm_style": "gn"}}, "norm_style='gn'"),
        ("biggan_pytorch", {"constructor_kwargs": {**BIGGAN_G, "G_depth": 2, "hier": False}}, "hier=True"),
        ("biggan_pytorch", {"constructor_kwargs": BIGGAN_G, "G_activation": "tanh"}, "G_activation='tanh'"),
        ("mmagic", {"constructor": MMAGIC_G}, "only batch norm"),
        ("nobody", {}, "no loader for this network of 'nobody'"),
    ],
)  # fmt: skip
def test_settings_without_a_counterpart_are_refused(peer, spec, message):
    with pytest.raises(UnsupportedSetting, match=message):
        format_ = peer_format(peer, spec)
        format_.build(spec)


def peer_state(format_, spec):
    """Return random weights under the peer's names, by way of the names they are renamed to."""
    module = format_.build(spec)
    state = {}
    for name, value in module.state_dict().items():
        name = name.removeprefix("backbone.").removeprefix("heads.adv.").replace(".shortcut.", ".conv_sc.")
        name = (
            name.replace("blocks.", "blocks.")
            if "blocks" not in name
            else name.replace("blocks.", "blocks.", 1)
        )
        parts = name.split(".")
        if parts[0] == "blocks":
            name = ".".join([*parts[:2], "0", *parts[2:]])
        name = name.replace(".spectral.sigma", ".sv").replace(".spectral.u", ".u")
        state[name] = torch.randn_like(value)[None] if ".u" in name else torch.randn_like(value)
    return state


def test_weights_must_fit_exactly():
    spec = {"constructor_kwargs": BIGGAN_D}
    format_ = peer_format("biggan_pytorch", spec)
    state = peer_state(format_, spec)
    network = format_.network(spec, state)
    assert torch.equal(network.module.heads["adv"].embed.weight, state["embed.weight"])
    assert network.state().keys() == state.keys()

    with pytest.raises(ValueError, match=r"missing \['heads.adv.embed.weight'\]"):
        format_.network(spec, {key: value for key, value in state.items() if key != "embed.weight"})
    with pytest.raises(ValueError, match=r"left over \['strange.weight'\]"):
        format_.network(spec, {**state, "strange.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"heads.adv.embed.weight: \(4, 8\) for \(3, 8\)"):
        format_.network(spec, {**state, "embed.weight": torch.zeros(4, 8)})


@needs_golden
def test_recognises_a_state_dict():
    for name in ("biggan_pytorch__G_hier128_attn64", "biggan_pytorch__D_cifar32"):
        keys = load_case(GOLDEN / "biggan_pytorch" / name).state().keys()
        role = "generator" if "__G_" in name else "discriminator"
        assert (PEERS["biggan_pytorch"], role) in recognise(keys)
    assert recognise(["conv.weight", "conv.bias"]) == []


def test_settings_reader():
    settings = Settings({"a": 1, "b": 2, "c": 3})
    assert settings.take("a") == 1
    settings.ignore("b", "absent")
    with pytest.raises(UnsupportedSetting, match=r"c=3 is not supported, only \[4, 5\]"):
        Settings({"c": 3}).require("c", 4, 5)
    with pytest.raises(UnsupportedSetting, match=r"unknown settings: \{'c': 3\}"):
        settings.finish()


@needs_golden
def test_kinds_are_networks():
    assert {kind_of(load_case(stem.values[0])) for stem in cases()} == {"network"}
