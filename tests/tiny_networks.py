"""Configs of small networks that tests build."""


def tiny_biggan(num_classes=0, latent_dim=12, image_size=16, **more):
    """Return the config of a BigGAN generator of 4 channels."""
    shape = dict(image_size=image_size, num_classes=num_classes, base_channels=4, latent_dim=latent_dim)
    return dict(type="BigGANGenerator", **shape, **more)
