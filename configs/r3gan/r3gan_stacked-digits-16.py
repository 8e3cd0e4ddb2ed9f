# Relativistic pairs of equal label with R1 and R2, 1,000 classes.
_base_ = [
    "../_base_/models/r3gan-digits.py",
    "../_base_/datasets/stacked-digits-16.py",
    "../_base_/schedules/laptop-r3gan.py",
]
train_dataloader = dict(batch_size=64 * 2)  # batch x (discriminator's and generator's own)
train_cfg = dict(max_iters=3000, val_interval=1000)
default_hooks = dict(checkpoint=dict(save_best="modes_found", rule="greater"))
