_base_ = ["../_base_/models/lsgan.py", "../_base_/recipes/digits-16-unlabelled.py"]
model = dict(
    generator=dict(base_channels=8, latent_dim=48),
    discriminator=dict(backbone=dict(base_channels=8)),
    step=dict(n_critic=1),
)
# Without labels there is no class to be right about.
default_hooks = dict(checkpoint=dict(save_best="fid", rule="less"))
