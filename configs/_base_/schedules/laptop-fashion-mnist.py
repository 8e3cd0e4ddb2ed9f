# Under an hour on two CPU cores: small networks, channels-last, one discriminator pass.
_base_ = "./laptop-digits.py"
train_cfg = dict(max_iters=2000, val_interval=500)
default_hooks = dict(
    generator_ema=dict(decay=0.995, start=200),
    sample_grid=dict(interval=500),
    checkpoint=dict(interval=500, save_best="fid", rule="less"),
)
