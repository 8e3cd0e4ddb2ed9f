_base_ = "../omnigan/omnigan_biggan_digits-16.py"
# Without spectral norm in the generator, as there, but with it in the implicit output layer.
model = dict(
    generator=dict(implicit=dict(hidden=(32, 32), spectral_norm=True)),
    discriminator=dict(backbone=dict(attention_resolutions=())),
)
