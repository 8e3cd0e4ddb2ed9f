_base_ = ["../_base_/models/biggan.py", "../_base_/recipes/garment-pairs-16.py"]
model = dict(
    generator=dict(base_channels=12, latent_dim=48, shared_dim=64, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=12)),
)
