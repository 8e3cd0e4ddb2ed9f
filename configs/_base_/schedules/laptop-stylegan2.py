# Minutes to an hour on two CPU cores: a small StyleGAN2, corrected for lazy regularisation.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=0.0025 * 4 / 5, betas=(0.0, 0.99 ** (4 / 5)))),
    discriminator=dict(optimizer=dict(type="Adam", lr=0.0025 * 16 / 17, betas=(0.0, 0.99 ** (16 / 17)))),
)
train_cfg = dict(type="GANTrainLoop", max_iters=1500, val_interval=500)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(half_life_images=5_000, ramp_up=0.1, start=0, buffers="copy"),
    sample_grid=dict(interval=250),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
