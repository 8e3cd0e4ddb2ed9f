# CIFAR at StudioGAN's StyleGAN2 settings. Lazy regularisation with intervals of 4 (G) and 16 (D)
# corrects learning rate and betas by c = k / (k + 1) (StyleGAN2, Appendix B).
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    generator=dict(optimizer=dict(type="Adam", lr=0.0025 * 4 / 5, betas=(0.0, 0.99 ** (4 / 5)))),
    discriminator=dict(optimizer=dict(type="Adam", lr=0.0025 * 16 / 17, betas=(0.0, 0.99 ** (16 / 17)))),
)
train_cfg = dict(type="GANTrainLoop", max_iters=200_000)
default_hooks = dict(
    generator_ema=dict(half_life_images=500_000, ramp_up=0.05, start=0, buffers="copy"),
    sample_grid=dict(interval=5000),
    checkpoint=dict(interval=5000),
)
