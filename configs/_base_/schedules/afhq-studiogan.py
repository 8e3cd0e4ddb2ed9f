# AFHQ at StudioGAN's settings for BigGAN: the discriminator four times as fast.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=5e-5, betas=(0.0, 0.999), eps=1e-6)),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.999), eps=1e-6)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=200_000)
default_hooks = dict(
    generator_ema=dict(decay=0.9999, start=20_000),
    sample_grid=dict(interval=2000),
    checkpoint=dict(interval=2000),
)
