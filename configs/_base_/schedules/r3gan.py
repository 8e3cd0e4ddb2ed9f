# R3GAN's presets: Adam with beta1 = 0 and five half cosines over the first 20 million images.
# Training may go on behind them: the authors stop by hand.
_base_ = "../default_runtime.py"
_until = 20_000_000
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    precision="auto",
    generator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.9), eps=1e-8)),
    discriminator=dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.9), eps=1e-8)),
)
train_cfg = dict(type="GANTrainLoop", max_iters=200_000)
default_hooks = dict(
    generator_ema=dict(half_life_images=5_000_000, start=0, buffers="copy"),
    sample_grid=dict(interval=5000),
    checkpoint=dict(interval=5000),
    schedule=dict(
        type="ScheduleHook",
        unit="images",
        values={
            "optimizer.generator.lr": dict(kind="cosine", start=2e-4, end=5e-5, until=_until),
            "optimizer.discriminator.lr": dict(kind="cosine", start=2e-4, end=5e-5, until=_until),
            "optimizer.generator.beta2": dict(kind="cosine", start=0.9, end=0.99, until=_until),
            "optimizer.discriminator.beta2": dict(kind="cosine", start=0.9, end=0.99, until=_until),
            "regularizers.r1.weight": dict(kind="cosine", start=0.05, end=0.005, until=_until),
            "regularizers.r2.weight": dict(kind="cosine", start=0.05, end=0.005, until=_until),
            "generator_ema.half_life_images": dict(kind="cosine", start=0, end=5_000_000, until=_until),
            "augment.probability.p": dict(kind="cosine", start=0.0, end=0.55, until=_until),
        },
    ),
)
