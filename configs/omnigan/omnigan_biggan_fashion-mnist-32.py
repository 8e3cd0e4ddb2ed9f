_base_ = ["../_base_/models/omnigan.py", "../_base_/recipes/fashion-mnist-32.py"]
model = dict(
    generator=dict(channels=(64, 64, 32, 16), latent_dim=80, shared_dim=64),
    discriminator=dict(backbone=dict(channels=(16, 32, 64, 64))),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
# 6,000 images a class: the paper's weight decay for CIFAR10 (5,000 a class).
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
