# CIFAR at StudioGAN settings: Adam 2e-4 (0.5, 0.999), 100,000 generator updates.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    generator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.5, 0.999), eps=1e-6)),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.5, 0.999), eps=1e-6)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=100_000)
default_hooks = dict(
    generator_ema=dict(decay=0.9999, start=1000),
    sample_grid=dict(interval=5000),
    checkpoint=dict(interval=5000),
)
