_base_ = [
    "../_base_/models/omnigan.py",
    "../_base_/datasets/garment-pairs-16.py",
    "../_base_/schedules/laptop-digits.py",
]
model = dict(
    generator=dict(base_channels=12, latent_dim=48, shared_dim=64, spectral_norm=None),
    discriminator=dict(backbone=dict(base_channels=12)),
)
train_cfg = dict(max_iters=3000, val_interval=600)
custom_hooks = [
    dict(
        type="DiscriminatorDiagnosticsHook",
        interval=100,
        validation=dict(type="GarmentPairs", split="test"),
    )
]
