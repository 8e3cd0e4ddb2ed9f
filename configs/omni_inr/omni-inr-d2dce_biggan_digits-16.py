_base_ = "../omnigan/omnigan-d2dce_biggan_digits-16.py"
# Images of any size with D2D-CE beside the omni-loss.
model = dict(
    generator=dict(implicit=dict(hidden=(32, 32), spectral_norm=True)),
    discriminator=dict(backbone=dict(attention_resolutions=())),
)
