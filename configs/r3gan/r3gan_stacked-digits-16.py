# Relativistic pairs of equal label with R1 and R2, 1,000 classes.
_base_ = [
    "../_base_/models/r3gan-networks.py",
    "../_base_/datasets/stacked-digits-16.py",
    "../_base_/schedules/laptop-r3gan.py",
]
model = dict(
    generator=dict(latent_dim=48, label_dim=32, channels=(48, 32, 24), groups=(6, 4, 3), blocks=(1, 1, 1)),
    discriminator=dict(backbone=dict(channels=(24, 32, 48), groups=(3, 4, 6), blocks=(1, 1, 1))),
    data_preprocessor=dict(flip_probability=0.0),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x (discriminator's and generator's own)
train_cfg = dict(max_iters=3000, val_interval=1000)
default_hooks = dict(checkpoint=dict(save_best="modes_found", rule="greater"))
