# A StyleGAN2 small enough for two CPU cores.
_base_ = "stylegan2.py"
model = dict(
    generator=dict(max_channels=64, channel_base=1024, latent_dim=64, style_dim=64, mapping_layers=2),
    discriminator=dict(backbone=dict(max_channels=64, channel_base=1024), heads=dict(adv=dict(num_layers=2))),
    regularizers=dict(r1=dict(weight=0.1)),
    data_preprocessor=dict(flip_probability=0.0, channels_last=True),
)
