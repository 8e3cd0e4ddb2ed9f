_base_ = [
    "../_base_/models/infogan.py",
    "../_base_/datasets/fashion-mnist-32-unlabelled.py",
    "../_base_/schedules/laptop-fashion-mnist.py",
]
model = dict(
    generator=dict(base_channels=16, latent_dim=74),
    discriminator=dict(backbone=dict(base_channels=16)),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(
        optimizer=dict(lr=2e-4, betas=(0.5, 0.999)),
        adopts=["discriminator.heads.discrete_code.*", "discriminator.heads.continuous_code.*"],
    ),
    discriminator=dict(optimizer=dict(lr=2e-4, betas=(0.5, 0.999))),
)
