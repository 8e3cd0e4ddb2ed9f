_base_ = ["../_base_/models/reacgan.py", "../_base_/recipes/cub200-128.py"]
# Setting L of ReACGAN, Table A1: batch 256, two critic updates.
model = dict(
    generator=dict(base_channels=80),
    discriminator=dict(backbone=dict(base_channels=80), heads=dict(cls=dict(embed_dim=1024))),
    losses=dict(
        contrastive=dict(temperature=0.25, positive_margin=0.95, weights=dict(real=0.25, generated=0.25))
    ),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, split_d=True),
)
