_base_ = [
    "../_base_/models/biggan.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/cifar-omnigan.py",
]
# The baseline of the Omni-GAN paper: projection, no weight decay, 500 epochs, average from 1,000.
model = dict(
    generator=dict(
        base_channels=64, latent_dim=128, shared_embedding=False, hierarchical=False, init="normal"
    ),
    discriminator=dict(backbone=dict(base_channels=64, init="normal"), init="normal"),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=4),
)
train_dataloader = dict(batch_size=32 * 4)  # batch x n_critic
train_cfg = dict(max_iters=195_000)
default_hooks = dict(generator_ema=dict(start=1000))
