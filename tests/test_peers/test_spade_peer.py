"""SPADE's settings and names, without its (non-commercial) golden data."""

import pytest
import torch

from mmcgan.models.discriminator import Discriminator
from mmcgan.models.encoder import SPADEEncoder
from mmcgan.models.generators import SPADEGenerator
from mmcgan.peers import UnsupportedSetting, peer_format
from mmcgan.peers.spade import SPADE_FORMAT
from mmcgan.peers.spade.settings import describe, other_norm, spade_norm
from mmcgan.peers.translation import DISCRIMINATOR
from tests.parity import spade_parts  # noqa: F401

GENERATOR = dict(ngf=1, semantic_nc=7, crop_size=64, aspect_ratio=2.0, use_vae=True, z_dim=256)
ENCODER_KEYS = [
    *(f"layer{i}.0.weight_{part}" for i in range(1, 7) for part in ("orig", "u", "v")),
    *(f"fc_{head}.{part}" for head in ("mu", "var") for part in ("weight", "bias")),
]


def spec(kind, **settings):
    return dict(kind=f"network/{kind}", constructor_settings=settings)


def test_a_width_and_a_ratio_become_height_and_width():
    config = SPADE_FORMAT.read(spec("G", **GENERATOR, num_upsampling_layers="normal"))
    assert config["image_size"] == (32, 64) and config["latent_dim"] == 256
    assert config["num_map_classes"] == 7 and "encoder" not in config
    # 127 // 64 = 1 column, round(1 / 1.5) = 1 row
    small = GENERATOR | dict(crop_size=127, aspect_ratio=1.5, num_upsampling_layers="more")
    assert SPADE_FORMAT.read(spec("G", **small))["image_size"] == (64, 64)


def test_an_encoders_weights_belong_to_the_generator():
    config = SPADE_FORMAT.read(
        dict(**spec("G", **GENERATOR, num_upsampling_layers="normal"), with_encoder=True)
    )
    with torch.device("meta"):
        generator = SPADEGenerator(**{key: value for key, value in config.items() if key != "type"})
    ours = [key for key in generator.state_dict() if key.startswith("encoder.")]
    keys = [f"encoder.{key}" for key in ENCODER_KEYS]
    assert sorted(SPADE_FORMAT.key_map(keys, "generator").values()) == sorted(ours)
    alone = peer_format("spade", spec("E", ngf=1, norm_E="spectralinstance", crop_size=256))
    with torch.device("meta"):
        names = list(SPADEEncoder(base_channels=1).state_dict())
    assert sorted(alone.key_map(ENCODER_KEYS, "encoder").values()) == sorted(names)


def test_the_last_model_of_a_scale_is_its_head():
    keys = [f"discriminator_{scale}.model{n}" for scale in range(2) for n in range(4)]
    weights = [f"{key}.0.{'0.weight_orig' if key[-1] in '12' else 'weight'}" for key in keys]
    names = SPADE_FORMAT.key_map(weights, "discriminator")
    assert names["discriminator_1.model2.0.0.weight_orig"] == "backbone.blocks.1.2.conv.weight"
    assert names["discriminator_1.model3.0.weight"] == "heads.patch_1.conv.weight"
    assert SPADE_FORMAT.recognise(weights) == "discriminator"
    assert SPADE_FORMAT.recognise(["linear.weight", "blocks.0.conv1.weight"]) is None


def test_norms_are_read_or_refused():
    assert spade_norm("spectralspadesyncbatch3x3") == (True, dict(norm="batch", kernel_size=3))
    assert spade_norm("spadeinstance5x5") == (False, dict(norm="instance", kernel_size=5))
    assert [other_norm(text) for text in ("spectralinstance", "spectral", "spectralsync_batch")] == [
        "instance",
        "none",
        "batch",
    ]
    for text in ("spectralspadelayer3x3", "spadebatch3x5"):
        with pytest.raises(UnsupportedSetting, match=f"norm '{text}'"):
            spade_norm(text)
    with pytest.raises(UnsupportedSetting, match="norm 'instance'"):
        other_norm("instance")


def test_unknown_settings_are_not_ignored():
    with pytest.raises(UnsupportedSetting, match=r"unknown settings: {'sharpen': 3}"):
        SPADE_FORMAT.read(spec("D", label_nc=3, sharpen=3))


def test_discriminators_of_other_kernels_are_not_written():
    config = SPADE_FORMAT.read(spec("D", label_nc=3, no_instance=True, ndf=2, n_layers_D=2))
    for kernel_size in (4, 3):
        config["backbone"]["kernel_size"] = kernel_size
        network = Discriminator(**config)
        if kernel_size == 4:
            assert describe(DISCRIMINATOR, config, network)["constructor_settings"]["n_layers_D"] == 2
        else:
            with pytest.raises(ValueError, match="kernels are of 4, not of 3"):
                describe(DISCRIMINATOR, config, network)
