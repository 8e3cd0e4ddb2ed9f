# SPADE (Park et al., 2019): every normalisation of the generator sees the label map; a PatchGAN over two
# scales sees map and image; hinge loss, and feature matching with factor 10 over the layers of a scale (the
# mean over all layers is weighted, hence times their number). Generator first, fakes and real in one pass.
_layers = [f"feature.layer_{scale}_{index}" for scale in range(2) for index in range(4)]
model = dict(
    type="ConditionalGAN",
    generator=dict(type="SPADEGenerator"),
    discriminator=dict(
        backbone=dict(type="PatchBackbone", num_scales=2, num_layers=4),
        heads=dict(
            patch_0=dict(type="PatchHead", feature="map", kernel_size=4, spectral_norm=False),
            patch_1=dict(type="PatchHead", feature="map_1", kernel_size=4, spectral_norm=False),
        ),
        init="xavier_0.02",
    ),
    losses=dict(
        adversarial=dict(type="HingeLoss", inputs=dict(logit=["patch_0.logit", "patch_1.logit"])),
        features=dict(type="FeatureMapLoss", inputs=dict(feature=_layers), weights=10.0 * 4),
    ),
    condition_sampler=dict(type="RealCondition"),
    data_preprocessor=dict(type="GANDataPreprocessor"),
    step=dict(generator_first=True, split_d=False, real_first=False),
)
