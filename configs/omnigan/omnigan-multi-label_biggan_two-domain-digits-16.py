_base_ = [
    "../_base_/models/omnigan-multi-label.py",
    "../_base_/datasets/two-domain-digits-16.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    generator=dict(base_channels=12, latent_dim=64, shared_dim=32, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=12)),
)
train_cfg = dict(max_iters=1200, val_interval=400)
default_hooks = dict(
    sample_grid=dict(interval=400), checkpoint=dict(interval=400, save_best="attribute_accuracy")
)
