# Projected GAN's settings: batch 64, Adam at 2e-4 for both players, ten million images. (The authors' code
# multiplies the discriminator's rate by 16/17, a left-over of lazy regularisation.)
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.99), eps=1e-8)),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.99), eps=1e-8)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=156_250)
default_hooks = dict(
    generator_ema=dict(half_life_images=20_000, ramp_up=0.05, start=0, buffers="copy"),
    sample_grid=dict(interval=1000),
    checkpoint=dict(interval=1000),
)
