_base_ = ["../_base_/models/reacgan.py", "../_base_/recipes/stacked-digits-16.py"]
model = dict(
    generator=dict(channels=(64, 32, 16), latent_dim=48, shared_dim=32),
    discriminator=dict(backbone=dict(channels=(16, 32, 64)), heads=dict(cls=dict(embed_dim=64))),
)
