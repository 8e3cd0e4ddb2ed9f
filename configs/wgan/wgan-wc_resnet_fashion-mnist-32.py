_base_ = ["../_base_/models/wgan-wc.py", "../_base_/recipes/fashion-mnist-32-critic.py"]
model = dict(
    generator=dict(base_channels=16, latent_dim=64),
    discriminator=dict(backbone=dict(base_channels=16)),
    step=dict(n_critic=2),
)
