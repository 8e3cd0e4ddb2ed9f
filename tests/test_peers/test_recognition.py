"""Whose network a state dict is, and which player, is seen from its keys."""

import pytest

from mmcgan.peers import recognise
from tests.parity import load_case
from tests.test_parity.golden_sets import case_stem

G, D = "generator", "discriminator"


@pytest.mark.parametrize(
    ("case", "name", "role"),
    [
        ("studiogan/d_resnet_32_wo_bn", "studiogan_resnet", D),
        ("studiogan/g_resnet_32_wo_bn", "studiogan_resnet", G),
        ("studiogan/g_deep_conv_full", "studiogan_deep_conv", G),
        ("studiogan/d_deep_conv_full", "studiogan_deep_conv", D),
        ("studiogan/d_stylegan2_32_d2dce_norm", "studiogan_stylegan2", D),
        ("studiogan/g_stylegan2_32_uncond", "studiogan_stylegan2", G),
        ("ic_gan/sg2_G_classinst32", "ic_gan_stylegan2", G),
        ("ic_gan/sg2_D_skip32", "ic_gan_stylegan2", D),
        ("mmagic/sngan_d32_torchsn", "mmagic_resnet", D),
        ("mmagic/sngan_g32_chainerinit", "mmagic_resnet", G),
        ("mmagic/stylegan2_g32_cond", "mmagic_stylegan2", G),
        ("mmagic/stylegan2_d32_uncond", "mmagic_stylegan2", D),
    ],
)
def test_a_state_dict_is_recognised(case, name, role):
    found = recognise(load_case(case_stem(case)).state())
    assert (name, role) in [(form.name, part) for form, part in found]
