# CIFAR at the settings of Omni-GAN: Adam 2e-4 (0, 0.999); the method sets its coupled weight decay.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    generator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999))),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999))),
)
# 1,000 epochs of 50,000 images, three critic batches of 32 an iteration.
train_cfg = dict(type="GANTrainLoop", max_iters=520_000)
default_hooks = dict(
    generator_ema=dict(decay=0.9999, start=5000),
    sample_grid=dict(interval=10_000),
    checkpoint=dict(interval=10_000),
)
