_base_ = ["../_base_/models/omnigan.py", "../_base_/recipes/digits-16.py"]
# DCGAN's networks, conditional, without batch norm in the discriminator.
model = dict(
    generator=dict(
        _delete_=True,
        type="DCGANGenerator",
        base_channels=8,
        latent_dim=48,
        implicit=dict(hidden=(32, 32), spectral_norm=True),
    ),
    discriminator=dict(backbone=dict(_delete_=True, type="DCGANBackbone", base_channels=8)),
)
