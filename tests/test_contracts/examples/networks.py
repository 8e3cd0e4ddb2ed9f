"""Small settings of generators, backbones and heads."""

SIZE, CLASSES = 16, 3
EXTRACTOR = dict(type="SmallClassifier", weights="digits-16")
INNER = dict(type="DCGANGenerator", image_size=SIZE, num_classes=CLASSES, base_channels=4)
R3 = dict(channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1))
#: small settings of networks
GENERATORS = {
    "BigGANGenerator": dict(base_channels=4, latent_dim=12, shared_dim=4),
    "BigGANDeepGenerator": dict(base_channels=4, latent_dim=12, shared_dim=4, depth=1),
    "CodedGenerator": dict(
        generator=dict(type="DCGANGenerator", image_size=SIZE, num_classes=CLASSES, base_channels=4),
        code_dim=2,
    ),
    "DCGANGenerator": dict(base_channels=4, latent_dim=12),
    "FastGANGenerator": dict(base_channels=2, latent_dim=12, excitation_factor=4),
    "R3GANGenerator": dict(
        channels=(8, 8, 8), groups=(2, 2, 2), blocks=(1, 1, 1), label_dim=8, latent_dim=12
    ),
    "ResNetGenerator": dict(base_channels=4, latent_dim=12),
    "SPADEGenerator": dict(
        image_size=32, num_map_classes=4, base_channels=4, latent_dim=8, hidden_channels=4
    ),
    "StyleGAN2Generator": dict(max_channels=8, style_dim=8, latent_dim=12, mapping_layers=2),
}
BACKBONES = {
    "BigGANBackbone": dict(base_channels=4),
    "BigGANDeepBackbone": dict(base_channels=4, depth=1),
    "DCGANBackbone": dict(base_channels=4),
    "PatchBackbone": dict(num_map_classes=3, base_channels=4, num_layers=2),
    "ProjectedBackbone": dict(extractor=EXTRACTOR, strides=(1, 2, 4), max_channels=8, end_size=4),
    "R3GANBackbone": R3,
    "ResNetBackbone": dict(base_channels=4),
    "StyleGAN2Backbone": dict(max_channels=8),
}
HEADS = {
    "DiscreteCodeHead": dict(codes=2, values=3),
    "ContinuousCodeHead": dict(codes=2),
    "ProxyHead": dict(embed_dim=4),
    "DiscriminativeProxyHead": dict(embed_dim=4),
    "EachScale": dict(head=dict(type="AdversarialHead"), scales=2),
    "OnWindows": dict(head=dict(type="AdversarialHead"), kernel_size=2),
    "PixelClassHead": dict(num_map_classes=3),
}
