_base_ = ["../_base_/models/mhgan.py", "../_base_/recipes/fashion-mnist-32.py"]
model = dict(
    generator=dict(channels=(64, 64, 32, 16), latent_dim=80, shared_dim=64),
    discriminator=dict(backbone=dict(channels=(16, 32, 64, 64))),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
