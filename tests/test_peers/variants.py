"""Small networks of every peer in its own words: what its users set, one change each."""

from typing import Any

from tests.test_peers.mmagic_variants import MM_BIGGAN, MM_DEEP, MM_RESNET, MM_STYLE

Spec = dict[str, Any]

BIG_G = dict(resolution=32, G_ch=2, G_attn="0", n_classes=5, dim_z=12, G_shared=True, shared_dim=6, hier=True)
BIG_D = dict(resolution=32, D_ch=2, D_attn="0", n_classes=5)


def called(base: Spec, changes: list[Spec], **around: Any) -> list[Spec]:
    """Return descriptions of constructor calls with each set of changes."""
    return [{**around, "constructor_kwargs": {**base, **change}} for change in changes]


BIGGAN = [
    *called(
        BIG_G,
        [
            dict(),
            dict(resolution=64, G_attn="16_32", dim_z=20),
            dict(hier=False),
            dict(hier=False, G_shared=False),
            dict(mybn=True),
            dict(cross_replica=True),
            dict(BN_eps=1e-3, SN_eps=1e-4),
            dict(num_G_SVs=2, num_G_SV_itrs=3),
            dict(G_param="none"),
            dict(bottom_width=8, G_attn="16"),
            dict(resolution=128, G_attn="64", G_ch=4, dim_z=18),
            dict(G_init="N02"),
        ],
    ),
    *called(
        BIG_D,
        [
            dict(),
            dict(D_attn="16"),
            dict(D_wide=False),
            dict(D_param="none"),
            dict(resolution=64, D_attn="32", D_ch=8),
            dict(resolution=128, D_attn="64_16", D_ch=8),
            dict(num_D_SVs=2),
        ],
    ),
]
DEEP = called(
    {**BIG_G, "G_depth": 2}, [dict(), dict(resolution=64, G_attn="16"), dict(G_depth=3), dict(mybn=True)]
) + called(
    {**BIG_D, "D_depth": 2}, [dict(), dict(D_attn="16"), dict(D_depth=3, resolution=64), dict(D_param="none")]
)
#: Booleans and numbers that lie in files as text.
OMNI_G = dict(resolution=32, ch=2, n_classes=5, attn="0", dim_z="12", shared_dim="6", hier="True")
OMNIGAN = called(
    OMNI_G,
    [
        dict(),
        dict(attn="16_32", resolution=64, dim_z="15"),
        dict(hier="False"),
        dict(G_shared="False", hier="False"),
        dict(mybn="True"),
    ],
    kind="network/G",
) + called(
    dict(resolution=32, ch=2, n_classes=5, attn="0"),
    [dict(), dict(attn="16"), dict(output_dim=1), dict(output_dim="9"), dict(wide="False")],
    kind="network/D",
)
INR = [
    *({"class_name": name, **spec} for name in ("Generator", "Generator_no_cell", "Generator_no_coord")
      for spec in called({**BIG_G, "hidden_list": [4, 3]}, [dict()], kind="network/G")),
    *({"class_name": "Generator_no_unfold", **spec}
      for spec in called({**BIG_G, "hidden_list": []}, [dict(), dict(hier=False, G_shared=False)],
                         kind="network/G")),
    *called({**BIG_D, "output_dim": 7}, [dict(), dict(D_attn="16")], kind="network/D"),
]  # fmt: skip
DGP = called(
    {**BIG_G, "D_ch": 2}, [dict(), dict(resolution=64, G_attn="32", dim_z=20)], kind="network/G"
) + called({**BIG_D, "G_ch": 2}, [dict(), dict(D_attn="16")], kind="network/D")
IC_GAN = called(
    {**BIG_G, "G_shared_feat": False},
    [
        dict(class_cond=True, instance_cond=False),
        dict(class_cond=False, instance_cond=True, shared_dim_feat=7),
        dict(class_cond=True, instance_cond=True, shared_dim_feat=7, G_shared_feat=True),
        dict(class_cond=False, instance_cond=True, shared_dim_feat=4, G_shared_feat=True, hier=False),
    ],
) + called(
    BIG_D,
    [
        dict(class_cond=True, instance_cond=False),
        dict(class_cond=False, instance_cond=True, instance_sz=7),
        dict(class_cond=True, instance_cond=True, instance_sz=7, D_attn="16"),
        dict(class_cond=False, instance_cond=False),
    ],
)

SYNTHESIS = dict(channel_base=64, channel_max=8)
STYLE_G = dict(z_dim=6, c_dim=0, h_dim=0, w_dim=7, img_resolution=16, mapping_kwargs=dict(num_layers=2))
STYLE_G = {**STYLE_G, "synthesis_kwargs": SYNTHESIS}
STYLE_D = dict(c_dim=0, h_dim=0, img_resolution=16, **SYNTHESIS)
STYLEGAN2 = called(
    STYLE_G,
    [
        dict(),
        dict(c_dim=3),
        dict(h_dim=5, mapping_kwargs=dict(num_layers=1, embed_features_feat=4, lr_multiplier=0.1)),
        dict(c_dim=3, h_dim=5, mapping_kwargs=dict(num_layers=2, embed_features=4)),
        dict(synthesis_kwargs={**SYNTHESIS, "architecture": "resnet", "conv_clamp": 256}),
        dict(synthesis_kwargs={**SYNTHESIS, "architecture": "orig", "resample_filter": [1, 2, 1]}),
        dict(mapping_kwargs=dict(num_layers=2, w_avg_beta=0.9)),
        dict(mapping_kwargs=dict(num_layers=2, w_avg_beta=None)),
    ],
) + called(
    STYLE_D,
    [
        dict(),
        dict(c_dim=3, mapping_kwargs=dict(num_layers=2)),
        dict(h_dim=5, cmap_dim=4),
        dict(architecture="skip", conv_clamp=256),
        dict(architecture="orig", block_kwargs=dict(resample_filter=[1, 2, 1])),
        dict(epilogue_kwargs=dict(mbstd_group_size=None, mbstd_num_channels=2)),
    ],
)


def studiogan(backbone: str, player: str, base: Spec, changes: list[Spec]) -> list[Spec]:
    """Return descriptions of StudioGAN's networks."""
    around = dict(kind=f"network/{backbone}/{player}", model_config=dict(backbone=backbone))
    return called(base, changes, **around)


STUDIO_G = dict(img_size=32, g_conv_dim=2, z_dim=12, num_classes=5, g_cond_mtd="cBN", apply_g_sn=True)
STUDIO_D = dict(img_size=32, d_conv_dim=2, num_classes=5, apply_d_sn=True)
HEADS: list[Spec] = [
    *(dict(d_cond_mtd=name) for name in ("W/O", "PD", "AC", "MD", "MH")),
    dict(d_cond_mtd="2C", d_embed_dim=4, normalize_d_embed=True),
    dict(d_cond_mtd="D2DCE", d_embed_dim=4, aux_cls_type="TAC"),
    dict(d_cond_mtd="AC", aux_cls_type="ADC"),
    dict(d_cond_mtd="PD", info_type="both", info_num_discrete_c=2, info_dim_discrete_c=3, info_num_conti_c=1),
]
CODES = dict(info_type="both", info_num_discrete_c=2, info_dim_discrete_c=3, info_num_conti_c=1)
ATTENTION_G = dict(apply_attn=True, attn_g_loc=[2])
ATTENTION_D = dict(apply_attn=True, attn_d_loc=[1], d_conv_dim=8)
RESNET = studiogan(
    "resnet",
    "G",
    STUDIO_G,
    [dict(), ATTENTION_G, dict(g_cond_mtd="W/O"), dict(apply_g_sn=False), dict(img_size=64, g_act_fn="ELU")],
) + studiogan("resnet", "D", STUDIO_D, [*HEADS[:3], ATTENTION_D, dict(apply_d_sn=False)])
BIG_RESNET = studiogan(
    "big_resnet",
    "G",
    {**STUDIO_G, "g_shared_dim": 6},
    [
        dict(),
        ATTENTION_G,
        dict(img_size=64, z_dim=15, g_act_fn="Leaky_ReLU"),
        dict(img_size=128, z_dim=18, g_conv_dim=1),
        {**CODES, "g_info_injection": "concat"},
        {**CODES, "g_info_injection": "cBN"},
    ],
) + studiogan("big_resnet", "D", STUDIO_D, [*HEADS, ATTENTION_D, dict(img_size=64), dict(d_act_fn="GELU")])
STUDIO_DEEP = [
    spec
    for form in ("big_resnet_deep_legacy", "big_resnet_deep_studiogan")
    for spec in studiogan(form, "G", {**STUDIO_G, "g_shared_dim": 6, "g_depth": 2}, [dict(), ATTENTION_G])
    + studiogan(form, "D", {**STUDIO_D, "d_depth": 2}, [dict(d_cond_mtd="PD"), ATTENTION_D])
]
DEEP_CONV = studiogan(
    "deep_conv",
    "G",
    dict(z_dim=6, num_classes=3, g_conv_dim="N/A"),
    [dict(), dict(g_cond_mtd="cBN", apply_g_sn=True)],
) + studiogan(
    "deep_conv",
    "D",
    dict(num_classes=3, d_conv_dim="N/A"),
    [dict(), dict(apply_d_sn=True, d_cond_mtd="AC")],
)
STUDIO_STYLE_G = {key: value for key, value in STYLE_G.items() if key != "h_dim"}
STUDIO_STYLE_D = {key: value for key, value in STYLE_D.items() if key != "h_dim"} | dict(num_classes=3)
STUDIO_STYLE = studiogan("stylegan2", "G", STUDIO_STYLE_G, [dict(), dict(c_dim=3)]) + studiogan(
    "stylegan2",
    "D",
    STUDIO_STYLE_D,
    [
        dict(d_cond_mtd="W/O"),
        dict(d_cond_mtd="SPD", c_dim=3),
        dict(d_cond_mtd="D2DCE", c_dim=3, d_embed_dim=4),
        dict(d_cond_mtd="MH"),
    ],
)
PUBLISHED = [
    {"constructor": {"BigGANConfig": {**PUBLISHED_BASE, **change}}}
    for PUBLISHED_BASE in [
        dict(
            output_dim=32,
            z_dim=6,
            class_embed_dim=6,
            channel_width=2,
            num_classes=4,
            layers=[[0, 8, 8], [1, 8, 4], [0, 4, 4], [1, 4, 2], [1, 2, 1]],
            attention_layer_position=2,
            eps=1e-4,
            n_stats=5,
        )
    ]
    for change in (dict(), dict(n_stats=3, eps=1e-5), dict(attention_layer_position=3))
]
R3_G = dict(
    NoiseDimension=6,
    WidthPerStage=[8, 6, 4],
    CardinalityPerStage=[2, 2, 1],
    BlocksPerStage=[1, 2, 1],
    ExpansionFactor=2,
)
R3_D = {key: value for key, value in R3_G.items() if key != "NoiseDimension"} | dict(
    WidthPerStage=[4, 6, 8], CardinalityPerStage=[1, 2, 2]
)
CLASSES = dict(ConditionDimension=3, ConditionEmbeddingDimension=5)
R3GAN = called(R3_G, [dict(), CLASSES, dict(ResamplingFilter=[1, 3, 3, 1]), dict(FP16Stages=[-1])]) + called(
    R3_D, [dict(), CLASSES, dict(KernelSize=1)]
)
FAST = dict(z_dim=6, c_dim=0, img_resolution=128, ngf=2, cond=False)
CONDITIONAL = dict(cond=True, c_dim=3)
FASTGAN = called(
    FAST,
    [
        dict(synthesis_kwargs=dict(lite=False)),
        dict(img_resolution=256, synthesis_kwargs=dict(lite=False)),
        dict(CONDITIONAL, synthesis_kwargs=dict(lite=False, num_classes=3)),
    ],
    kind="network/G",
)
FASTGAN_LITE = called(
    FAST,
    [
        dict(synthesis_kwargs=dict(lite=True)),
        dict(CONDITIONAL, synthesis_kwargs=dict(lite=True, num_classes=3)),
    ],
    kind="network/G",
)
SEEN = dict(label_nc=3, contain_dontcare_label=False, no_instance=False)
SPADE_G = dict(**SEEN, semantic_nc=4, ngf=1, crop_size=64, aspect_ratio=2.0, num_upsampling_layers="normal")
SPADE_D = dict(**SEEN, ndf=2, num_D=2, n_layers_D=3)
SPADE = [
    *(
        {"kind": "network/G", "constructor_settings": {**SPADE_G, **change}}
        for change in (
            dict(),
            dict(no_instance=True, semantic_nc=3, aspect_ratio=1.0),
            dict(contain_dontcare_label=True, semantic_nc=5),
            dict(norm_G="spectralspadeinstance3x3"),
            dict(norm_G="spadebatch3x3"),
            dict(num_upsampling_layers="more", use_vae=True, z_dim=8, aspect_ratio=1.0),
        )
    ),
    {
        "kind": "network/G",
        "with_encoder": True,
        "constructor_settings": {**SPADE_G, "use_vae": True, "z_dim": 8},
    },
    *(
        {"kind": "network/D", "constructor_settings": {**SPADE_D, **change}}
        for change in (
            dict(),
            dict(no_instance=True, num_D=1),
            dict(norm_D="spectral"),
            dict(norm_D="spectralbatch", n_layers_D=2),
        )
    ),
]

#: Frozen networks with random weights of a fixed seed.
UNTRAINED = dict(type="EfficientNetLite0", pretrained=False)
PROJECTED = [
    {
        "kind": "projected_discriminator",
        "image_size": 64,
        "extractor": UNTRAINED,
        "narrow": {"ndf": 4, **(dict(c_dim=3, cmap_dim=5, embedding_dim=6) if inner.get("cond") else {})},
        "constructor_kwargs": dict(interp224=True, backbone_kwargs=dict(cout=4, num_discs=2, **inner)),
    }
    for inner in (
        dict(),
        dict(cond=True),
        dict(expand=False),
        dict(separable=True),
        dict(patch=True, cond=True),
        dict(patch=True, separable=True),
    )
]
#: behind a network whose statistics are those that the peer's code leaves
PROJECTED.append({**PROJECTED[0], "extractor": dict(UNTRAINED, primed=True)})

#: Name of a format -> descriptions.
VARIANTS: dict[str, list[Spec]] = {
    "biggan_pytorch": BIGGAN,
    "biggan_pytorch_deep": DEEP,
    "dgp": DGP,
    "hfbiggan": PUBLISHED,
    "ic_gan_biggan": IC_GAN,
    "ic_gan_stylegan2": STYLEGAN2,
    "mmagic_biggan": MM_BIGGAN,
    "mmagic_biggan_deep": MM_DEEP,
    "mmagic_resnet": MM_RESNET,
    "mmagic_stylegan2": MM_STYLE,
    "omnigan": OMNIGAN,
    "omni_inr": INR,
    "projected_gan_discriminator": PROJECTED,
    "projected_gan_fastgan": FASTGAN,
    "projected_gan_fastgan_lite": FASTGAN_LITE,
    "r3gan": R3GAN,
    "spade": SPADE,
    "studiogan_resnet": RESNET,
    "studiogan_big_resnet": BIG_RESNET,
    "studiogan_deep": STUDIO_DEEP,
    "studiogan_deep_conv": DEEP_CONV,
    "studiogan_stylegan2": STUDIO_STYLE,
}
