_base_ = ["../_base_/models/infogan.py", "../_base_/recipes/digits-16-unlabelled.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=60),
    discriminator=dict(backbone=dict(base_channels=8)),
    step=dict(n_critic=1),
)
optim_wrapper = dict(
    generator=dict(adopts=["discriminator.heads.discrete_code.*", "discriminator.heads.continuous_code.*"]),
)
