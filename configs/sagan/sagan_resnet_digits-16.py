_base_ = ["../_base_/models/sagan.py", "../_base_/recipes/digits-16.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=64, attention_resolutions=(8,)),
    discriminator=dict(backbone=dict(base_channels=8, attention_resolutions=(8,))),
    step=dict(n_critic=1),
)
