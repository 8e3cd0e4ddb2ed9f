# R3GAN on images of 16 pixels, small enough for two CPU cores.
_base_ = "./r3gan-networks.py"
model = dict(
    generator=dict(latent_dim=48, label_dim=32, channels=(48, 32, 24), groups=(6, 4, 3), blocks=(1, 1, 1)),
    discriminator=dict(backbone=dict(channels=(24, 32, 48), groups=(3, 4, 6), blocks=(1, 1, 1))),
    data_preprocessor=dict(flip_probability=0.0),
)
