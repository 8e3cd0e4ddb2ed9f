_base_ = [
    "../_base_/models/biggan.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/cifar-omnigan.py",
    "../_base_/parts/omnigan-cifar.py",
]
# The baseline of the Omni-GAN paper: projection, no weight decay, 500 epochs, average from 1,000.
model = dict(
    generator={{_base_._generator}},
    discriminator={{_base_._discriminator}},
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=4),
)
train_dataloader = dict(batch_size=32 * 4)  # batch x n_critic
train_cfg = dict(max_iters=195_000)
default_hooks = dict(generator_ema=dict(start=1000))
