_base_ = ["../_base_/models/infogan.py", "../_base_/recipes/fashion-mnist-32-dcgan.py"]
model = dict(
    generator=dict(base_channels=16, latent_dim=74),
    discriminator=dict(backbone=dict(base_channels=16)),
)
optim_wrapper = dict(
    generator=dict(adopts=["discriminator.heads.discrete_code.*", "discriminator.heads.continuous_code.*"])
)
