# What a run of hours has instead of one of minutes: shifted and cut images, more figures, a slower average.
_shifted = dict(
    augment=dict(type="DiffAugment", policy=("translation", "cutout"), translation=0.125, cutout=0.25),
)
_figures = dict(
    metrics=[
        dict(type="FID"),
        dict(type="InceptionScore"),
        dict(type="ConditionalAccuracy"),
        dict(type="PRDC", max_images=5000),
    ]
)
_hooks = dict(
    logger=dict(interval=100),
    generator_ema=dict(decay=0.998, start=500),
    sample_grid=dict(interval=1000),
    # a single evaluation is noisy: one counts as the median of three
    checkpoint=dict(interval=500, save_best="fid", rule="less", median_of=3),
)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=5000, end=9000, by_epoch=False)
_rates = dict(generator=_decay, discriminator=_decay)
_length = dict(max_iters=9000, val_interval=1000)
