"""StudioGAN's InfoGAN generators: the size of every published one, and where the codes arrive."""

import json

import pytest
import torch

from mmcgan.peers import UnsupportedSetting, peer_format
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition
from tests.test_parity.golden_sets import full_set
from tests.test_peers.test_stylegan2_peers import studiogan as stylegan2_spec

FULL = full_set()
CODES = ("info_type", "g_info_injection", "info_num_discrete_c", "info_num_conti_c", "info_dim_discrete_c")
PLAIN = ("z_dim", "g_shared_dim", "g_conv_dim", "g_cond_mtd", "g_init", "attn_g_loc", "apply_attn")
SMALL = {"image_size": 16, "num_classes": 3, "base_channels": 4, "latent_dim": 9, "code_dim": 2}
KINDS = {
    "ResNetGenerator": {},
    "DCGANGenerator": {},
    "BigGANGenerator": {"shared_dim": 4, "spectral_norm": False},
    "BigGANDeepGenerator": {"shared_dim": 4, "spectral_norm": False},
}


def description(config):
    """Describe the generator of a row of the peer's table of settings."""
    codes = {key: config["regularisers"]["infogan"][key] for key in CODES}
    if config["backbone"] == "stylegan2":
        spec = stylegan2_spec(config, "G")
        return {**spec, "model_config": {**spec["model_config"], **codes}}
    settings = {key: config[key] for key in ("img_size", "num_classes", *PLAIN) if config[key] is not None}
    table = {"backbone": config["backbone"], "apply_g_sn": config["apply_g_sn"], **codes}
    kind = f"network/{config['backbone']}/G"
    return {"kind": kind, "constructor_kwargs": settings, "model_config": table}


@pytest.mark.skipif(FULL is None, reason="golden data not found (set MMCGAN_GOLDEN)")
def test_every_published_generator_with_codes_has_the_peers_size():
    configs = json.loads((FULL / "studiogan" / "config_matrix.json").read_text())["configs"]
    models = json.loads((FULL / "studiogan" / "param_counts.json").read_text())["models"]
    sizes = {(row["dataset"], row["name"]): row["g_params"] for row in models}
    with_codes = [config for config in configs if config["regularisers"].get("infogan")]
    assert {config["backbone"] for config in with_codes} == {
        "big_resnet",
        "resnet",
        "deep_conv",
        "stylegan2",
    }
    for config in with_codes:
        spec = description(config)
        with torch.device("meta"):
            network = peer_format("studiogan", spec).build(spec)
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count == sizes[config["dataset"], config["name"]], config["name"]


@pytest.mark.parametrize("backbone", ["big_resnet_deep_legacy", "big_resnet_deep_studiogan"])
@pytest.mark.parametrize(
    ("injection", "kind"), [("concat", "CodedGenerator"), ("cBN", "BigGANDeepGenerator")]
)
def test_deep_generators_read_codes(backbone, injection, kind):
    codes = dict(zip(CODES, ("both", injection, 2, 2, 3), strict=True))
    settings = {"img_size": 32, "z_dim": 12, "g_conv_dim": 4, "g_shared_dim": 8, "num_classes": 5}
    settings |= {"g_cond_mtd": "cBN", "g_depth": 2}
    spec = {"kind": f"network/{backbone}/G", "constructor_kwargs": settings}
    network = peer_format("studiogan", spec | {"model_config": {"backbone": backbone, **codes}}).build(
        spec | {"model_config": {"backbone": backbone, **codes}}
    )
    assert type(network).__name__ == kind and network.latent_dim == 12 + 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [0, 3])
def test_codes_change_the_image_through_the_batch_norms_alone(kind, classes):
    torch.manual_seed(0)
    network = GENERATORS.build(dict(SMALL, type=kind, num_classes=classes, **KINDS[kind])).eval()
    condition = Condition(label=torch.tensor([0, 0, 0])) if classes else Condition()
    latent = torch.randn(1, network.latent_dim).repeat(3, 1)
    latent[1, -2:] = torch.tensor([1.0, 0.0])
    latent[2, -2:] = torch.tensor([0.0, 1.0])
    images = network(latent, condition)
    assert (images[1] - images[2]).abs().max() > 1e-4
    for layer in network.modules():
        if hasattr(layer, "gain"):  # batch norms that are deaf to everything
            layer.gain.weight.data.zero_()
            layer.bias.weight.data.zero_()
    if kind != "BigGANDeepGenerator":  # there the first linear map sees the codes, too
        images = network(latent, condition)
        # two rows of one batch: a processor may add them up in another order
        torch.testing.assert_close(images[1], images[2], rtol=1e-5, atol=1e-6)


def test_what_cannot_see_codes_says_so():
    with pytest.raises(ValueError, match="code_dim need shared_embedding=True"):
        GENERATORS.build(dict(SMALL, type="BigGANGenerator", shared_embedding=False, hierarchical=False))
    with pytest.raises(ValueError, match="code_dim needs unit_gain=True"):
        GENERATORS.build(dict(SMALL, type="ResNetGenerator", unit_gain=False))
    with pytest.raises(ValueError, match="code_dim must be at least 1, got -1"):
        GENERATORS.build(dict(SMALL, type="DCGANGenerator", code_dim=-1))
    spec = {"constructor_kwargs": {"z_dim": 4, "img_size": 32}, "kind": "network/resnet/G"}
    table = {"backbone": "resnet", "info_type": "discrete", "g_info_injection": "other"}
    table |= {"info_num_discrete_c": 1, "info_dim_discrete_c": 3}
    with pytest.raises(UnsupportedSetting, match="g_info_injection='other' is not supported"):
        peer_format("studiogan", spec | {"model_config": table}).build(spec | {"model_config": table})
