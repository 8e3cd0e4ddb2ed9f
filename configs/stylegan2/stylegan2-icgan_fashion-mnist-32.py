# IC-GAN on a small StyleGAN2.
_base_ = [
    "../_base_/models/icgan-stylegan2.py",
    "../_base_/datasets/fashion-mnist-32-instances.py",
    "../_base_/schedules/laptop-stylegan2.py",
]
model = dict(
    generator=dict(max_channels=64, channel_base=1024, latent_dim=64, style_dim=64),
    discriminator=dict(backbone=dict(max_channels=64, channel_base=1024), heads=dict(adv=dict(num_layers=2))),
    data_preprocessor=dict(flip_probability=0.0, channels_last=True),
)
