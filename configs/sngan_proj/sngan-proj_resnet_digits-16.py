_base_ = ["../_base_/models/sngan.py", "../_base_/recipes/digits-16.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=64),
    discriminator=dict(backbone=dict(base_channels=8)),
    step=dict(n_critic=1),
)
