_base_ = ["../_base_/models/sngan.py", "../_base_/recipes/fashion-mnist-32.py"]
model = dict(
    generator=dict(base_channels=16, latent_dim=64),
    discriminator=dict(backbone=dict(base_channels=16)),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
