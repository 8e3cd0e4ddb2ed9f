_base_ = ["../_base_/models/adcgan.py", "../_base_/recipes/cub200-128.py"]
# Setting K of ReACGAN, Table A1: batch 256, two critic updates.
model = dict(
    generator=dict(base_channels=80),
    discriminator=dict(backbone=dict(base_channels=80)),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, split_d=True),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x n_critic
