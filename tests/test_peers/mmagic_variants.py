"""Small networks of MMagic in its own words: what its users set, one change each."""

from typing import Any

Spec = dict[str, Any]


def mmagic(kind: str, base: Spec, changes: list[Spec]) -> list[Spec]:
    """Return descriptions of MMagic's networks, which a config names by type."""
    return [{"constructor": {"type": kind, **base, **change}} for change in changes]


MM_G = dict(output_scale=32, noise_size=12, num_classes=5, base_channels=2, shared_dim=6)
MM_D = dict(input_scale=32, num_classes=5, base_channels=2)
TORCH_NORM, LEAKY = dict(sn_style="torch", sn_eps=1e-5), dict(act_cfg=dict(type="LeakyReLU", inplace=True))
MM_BIGGAN = mmagic(
    "BigGANGenerator",
    MM_G,
    [
        dict(),
        TORCH_NORM,
        LEAKY,
        dict(split_noise=False, with_shared_embedding=False),
        dict(output_scale=64, noise_size=15, base_channels=8),
        dict(with_spectral_norm=False),
        dict(out_norm_cfg=dict(type="BN", eps=1e-3)),
    ],
) + mmagic(
    "BigGANDiscriminator",
    MM_D,
    [dict(), TORCH_NORM, LEAKY, dict(input_scale=128, base_channels=8), dict(num_classes=0)],
)
MM_DEEP = mmagic(
    "BigGANDeepGenerator", MM_G, [dict(), dict(concat_noise=False), {**TORCH_NORM, "block_depth": 1}]
) + mmagic("BigGANDeepDiscriminator", MM_D, [dict(), {**TORCH_NORM, "block_depth": 1}])
MM_RESNET = [
    *mmagic(
        "SNGANGenerator",
        dict(output_scale=32, noise_size=6, num_classes=3, base_channels=4),
        [dict(), dict(use_cbn=False), dict(with_spectral_norm=True), dict(norm_eps=1e-3)],
    ),
    *mmagic(
        "SAGANGenerator",
        dict(output_scale=32, noise_size=6, num_classes=3, base_channels=8, with_spectral_norm=True),
        [dict(attention_after_nth_block=[1, 3]), dict(sn_style="ajbrock", init_cfg=dict(type="SAGAN"))],
    ),
    *mmagic(
        "ProjDiscriminator",
        dict(input_scale=32, num_classes=3, base_channels=8),
        [dict(), dict(attention_after_nth_block=1), dict(with_spectral_norm=False), LEAKY],
    ),
]
MM_STYLE = mmagic(
    "StyleGAN2Generator",
    dict(out_size=8, style_channels=6, num_mlps=2),
    [dict(), dict(noise_size=5, cond_size=3), dict(update_mean_latent_with_ema=True, w_avg_beta=0.9)],
) + mmagic(
    "StyleGAN2Discriminator",
    dict(in_size=8),
    [
        dict(),
        dict(input_bgr2rgb=True, mbstd_cfg=dict(group_size=2)),
        dict(cond_size=3, cond_mapping_channels=4, cond_mapping_layers=1),
    ],
)
