_base_ = ["../_base_/models/acgan.py", "../_base_/recipes/digits-16.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=48, shared_dim=32, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=8)),
)
