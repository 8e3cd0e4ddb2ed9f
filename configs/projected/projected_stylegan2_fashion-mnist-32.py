# StyleGAN2's generator against projected discriminators, whose convolutions are then separable.
_base_ = "./projected_fastgan_fashion-mnist-32.py"
model = dict(
    generator=dict(
        _delete_=True,
        type="StyleGAN2Generator",
        max_channels=64,
        channel_base=1024,
        latent_dim=64,
        style_dim=64,
        mapping_layers=2,
    ),
    discriminator=dict(backbone=dict(separable=True)),
)
optim_wrapper = dict(generator=dict(optimizer=dict(lr=2e-3)), discriminator=dict(optimizer=dict(lr=2e-3)))
