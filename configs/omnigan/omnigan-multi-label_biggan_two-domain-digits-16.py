_base_ = [
    "../_base_/models/omnigan-multi-label.py",
    "../_base_/datasets/two-domain-digits-16.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    generator=dict(base_channels=12, latent_dim=64, shared_dim=32, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=12)),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
# With one critic update and the generator at 1e-3, samples of a class were nearly alike.
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4, weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
train_cfg = dict(max_iters=1200, val_interval=400)
default_hooks = dict(
    sample_grid=dict(interval=400), checkpoint=dict(interval=400, save_best="fid", rule="less")
)
