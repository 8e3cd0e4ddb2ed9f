# SAGAN (Zhang et al., 2019): SNGAN with spectral norm in both networks and self-attention.
_base_ = "./sngan.py"
model = dict(
    generator=dict(spectral_norm=True, condition_spectral_norm=True),
    discriminator=dict(backbone=dict(spectral_norm=True)),
)
