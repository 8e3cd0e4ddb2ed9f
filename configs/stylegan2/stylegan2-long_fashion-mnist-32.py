# Hours instead of minutes, as StyleGAN2-ADA trains CIFAR: no path length penalty, a light R1.
_base_ = ["./stylegan2_fashion-mnist-32.py", "../_base_/parts/hours.py"]
model = dict(
    regularizers=dict(_delete_=True, r1=dict(type="R1", weight=0.02, interval=16, reuse_scores=True)),
)
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=7000, end=22000, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=22000, val_interval=1000)
val_evaluator = {{_base_._figures}}
test_evaluator = {{_base_._figures}}
default_hooks = dict(
    logger=dict(interval=100),
    generator_ema=dict(half_life_images=20_000),
    sample_grid=dict(interval=1000),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
