# Hours instead of minutes: shifted and cut images, a slower average, a rate that falls at the end.
_base_ = "./omnigan_biggan_fashion-mnist-32.py"
model = dict(
    augment=dict(type="DiffAugment", policy=("translation", "cutout"), translation=0.125, cutout=0.25),
)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=5000, end=9000, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_cfg = dict(max_iters=9000, val_interval=1000)
val_evaluator = dict(
    metrics=[
        dict(type="FID"),
        dict(type="InceptionScore"),
        dict(type="ConditionalAccuracy"),
        dict(type="PRDC", max_images=5000),
    ]
)
test_evaluator = val_evaluator
default_hooks = dict(
    logger=dict(interval=100),
    generator_ema=dict(decay=0.998, start=500),
    sample_grid=dict(interval=1000),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
