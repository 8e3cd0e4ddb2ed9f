_base_ = ["../_base_/models/r3gan.py", "../_base_/recipes/fashion-mnist-32.py"]
model = dict(
    generator=dict(base_channels=16, latent_dim=64),
    discriminator=dict(backbone=dict(base_channels=16)),
)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4, betas=(0.0, 0.99))),
    discriminator=dict(optimizer=dict(lr=5e-4, betas=(0.0, 0.99))),
)
