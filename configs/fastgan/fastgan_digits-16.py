_base_ = ["../_base_/models/fastgan.py", "../_base_/recipes/digits-16.py"]
model = dict(
    generator=dict(base_channels=16, latent_dim=64, excitation_factor=4),
    discriminator=dict(backbone=dict(channels=(16, 32, 64))),
    data_preprocessor=dict(flip_probability=0.0),
)
