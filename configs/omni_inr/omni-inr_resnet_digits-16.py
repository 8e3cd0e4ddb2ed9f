_base_ = ["../_base_/models/omnigan.py", "../_base_/recipes/digits-16.py"]
# SAGAN's residual networks, with self-attention in the generator only.
model = dict(
    generator=dict(
        _delete_=True,
        type="ResNetGenerator",
        base_channels=8,
        latent_dim=64,
        spectral_norm=True,
        condition_spectral_norm=True,
        attention_resolutions=(8,),
        implicit=dict(hidden=(32, 32)),
    ),
    discriminator=dict(
        backbone=dict(_delete_=True, type="ResNetBackbone", base_channels=8, spectral_norm=True)
    ),
)
