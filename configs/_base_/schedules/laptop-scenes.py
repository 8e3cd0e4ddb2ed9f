# Minutes on one CPU core: small networks.
_base_ = "./laptop-digits.py"
train_cfg = dict(max_iters=200)
default_hooks = dict(
    logger=dict(interval=25),
    generator_ema=dict(decay=0.98),
    sample_grid=dict(interval=100, rows=2),
    checkpoint=dict(_delete_=True, type="GANCheckpointHook", interval=100, max_keep=2),
)
