# Under an hour on two CPU cores: R3GAN's half cosines over a quarter of a million images.
_base_ = "../default_runtime.py"
_until = 250_000
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=5e-4, betas=(0.0, 0.9), eps=1e-8)),
    discriminator=dict(optimizer=dict(type="Adam", lr=5e-4, betas=(0.0, 0.9), eps=1e-8)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=4000, val_interval=500)
default_hooks = dict(
    logger=dict(interval=50),
    generator_ema=dict(half_life_images=20_000, start=0, buffers="copy"),
    sample_grid=dict(interval=500),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
    schedule=dict(
        type="ScheduleHook",
        unit="images",
        values={
            "optimizer.generator.lr": dict(kind="cosine", start=5e-4, end=1e-4, until=_until),
            "optimizer.discriminator.lr": dict(kind="cosine", start=5e-4, end=1e-4, until=_until),
            "optimizer.generator.beta2": dict(kind="cosine", start=0.9, end=0.99, until=_until),
            "optimizer.discriminator.beta2": dict(kind="cosine", start=0.9, end=0.99, until=_until),
            "regularizers.r1.weight": dict(kind="cosine", start=0.1, end=0.01, until=_until),
            "regularizers.r2.weight": dict(kind="cosine", start=0.1, end=0.01, until=_until),
            "generator_ema.half_life_images": dict(kind="cosine", start=0, end=20_000, until=_until),
        },
    ),
)
