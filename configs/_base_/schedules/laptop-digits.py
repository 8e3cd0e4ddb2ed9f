# Minutes on two CPU cores: small networks, channels-last, one discriminator pass.
_base_ = "../default_runtime.py"
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=1e-3, betas=(0.0, 0.99), eps=1e-6)),
    discriminator=dict(optimizer=dict(type="Adam", lr=1e-3, betas=(0.0, 0.99), eps=1e-6)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=600, val_interval=200)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(decay=0.99, start=100),
    sample_grid=dict(interval=200),
    checkpoint=dict(interval=200, save_best="conditional_accuracy"),
)
