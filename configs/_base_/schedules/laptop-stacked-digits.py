# Under half an hour on two CPU cores.
_base_ = "./laptop-digits.py"
train_cfg = dict(max_iters=3000, val_interval=1000)
default_hooks = dict(
    sample_grid=dict(interval=1000),
    checkpoint=dict(interval=1000, save_best="modes_found", rule="greater"),
)
