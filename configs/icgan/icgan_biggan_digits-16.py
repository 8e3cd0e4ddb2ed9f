_base_ = [
    "../_base_/models/icgan.py",
    "../_base_/datasets/digits-16-instances.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    generator=dict(base_channels=8, latent_dim=48, instance_embedding_dim=32, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=8)),
)
default_hooks = dict(checkpoint=dict(save_best="fid", rule="less"))
