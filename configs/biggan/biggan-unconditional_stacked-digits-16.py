_base_ = [
    "../_base_/models/biggan-unconditional.py",
    "../_base_/datasets/stacked-digits-16-unlabelled.py",
    "../_base_/schedules/laptop-stacked-digits.py",
]
model = dict(
    generator=dict(channels=(64, 32, 16), latent_dim=48, shared_dim=32, num_classes=0),
    discriminator=dict(backbone=dict(channels=(16, 32, 64))),
)
