_base_ = [
    "../_base_/models/omnigan.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/cifar-omnigan.py",
    "../_base_/parts/omnigan-cifar.py",
]
# Omni-GAN's CIFAR10 settings: 3 critic updates, weight decay 1e-3 (G) and 1e-4 (D).
model = dict(
    generator={{_base_._generator}},
    discriminator={{_base_._discriminator}},
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=3),
)
train_dataloader = dict(batch_size=32 * 3)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
