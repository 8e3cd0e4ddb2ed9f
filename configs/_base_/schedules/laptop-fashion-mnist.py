# Under an hour on two CPU cores: small networks, bfloat16, channels-last, one discriminator pass.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="bfloat16",
    generator=dict(optimizer=dict(type="Adam", lr=4e-4, betas=(0.0, 0.999), eps=1e-6)),
    discriminator=dict(optimizer=dict(type="Adam", lr=4e-4, betas=(0.0, 0.999), eps=1e-6)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=3000, val_interval=250)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(decay=0.998, start=200),
    sample_grid=dict(interval=250),
    checkpoint=dict(interval=250, save_best="fid", rule="less"),
)
