_base_ = [
    "../_base_/models/omnigan.py",
    "../_base_/datasets/cifar100-32.py",
    "../_base_/schedules/cifar-omnigan.py",
]
# Omni-GAN's CIFAR100 settings: 4 critic updates, weight decay 1e-3 (G) and 5e-4 (D).
model = dict(
    generator=dict(
        base_channels=64, latent_dim=128, shared_embedding=False, hierarchical=False, init="normal"
    ),
    discriminator=dict(backbone=dict(base_channels=64, init="normal"), init="normal"),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=4),
)
train_dataloader = dict(batch_size=32 * 4)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=5e-4)),
)
