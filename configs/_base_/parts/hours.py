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
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
