# Hours instead of minutes: a lower rate, a slower average.
_base_ = "./omnigan_biggan_fashion-mnist-32.py"
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4)),
    discriminator=dict(optimizer=dict(lr=5e-4)),
)
train_cfg = dict(max_iters=12000, val_interval=1000)
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
    generator_ema=dict(decay=0.999, start=500),
    sample_grid=dict(interval=1000),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
