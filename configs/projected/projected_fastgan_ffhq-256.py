# Projected GAN with FastGAN lite as published, unconditional at 256 pixels (images pass at their own size).
_base_ = [
    "../_base_/models/projected-unconditional.py",
    "../_base_/datasets/ffhq-256.py",
    "../_base_/schedules/projected.py",
]
model = dict(discriminator=dict(backbone=dict(input_size=256)))
