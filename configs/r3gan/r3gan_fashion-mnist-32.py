# R3GAN small enough for two CPU cores.
_base_ = [
    "../_base_/models/r3gan-networks.py",
    "../_base_/datasets/fashion-mnist-32.py",
    "../_base_/schedules/laptop-r3gan.py",
]
_small = dict(channels=(64, 48, 32, 16), groups=(8, 6, 4, 2), blocks=(1, 1, 1, 1))
model = dict(
    generator=dict(latent_dim=64, label_dim=32, **_small),
    discriminator=dict(backbone=dict(channels=(16, 32, 48, 64), groups=(2, 4, 6, 8), blocks=(1, 1, 1, 1))),
    data_preprocessor=dict(flip_probability=0.0),
)
train_dataloader = dict(batch_size=64 * 2)  # batch x (discriminator's and generator's own)
