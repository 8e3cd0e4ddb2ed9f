"""Configs of small networks that tests build."""


def tiny_biggan(num_classes=0, latent_dim=12, image_size=16, **more):
    """Return the config of a BigGAN generator of 4 channels."""
    shape = dict(image_size=image_size, num_classes=num_classes, base_channels=4, latent_dim=latent_dim)
    return dict(type="BigGANGenerator", **shape, **more)


def tiny_stylegan2(num_classes=0, latent_dim=4, image_size=8, **more):
    """Return the config of a StyleGAN2 generator of 4 channels."""
    shape = dict(image_size=image_size, num_classes=num_classes, channel_base=32, max_channels=4)
    return dict(type="StyleGAN2Generator", **shape, latent_dim=latent_dim, style_dim=latent_dim, **more)


def tiny_painter(num_map_classes=11, image_size=32, **more):
    """Return the config of a SPADE generator with a base channel, for the classes of scenes of digits."""
    shape = dict(image_size=image_size, num_map_classes=num_map_classes, base_channels=1, hidden_channels=4)
    return dict(type="SPADEGenerator", **shape, **more)
