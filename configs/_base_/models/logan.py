# LOGAN (Wu et al., 2019) on SNGAN without labels: uniform latents that make a natural-gradient step before
# images are made of them.
_base_ = "./sngan-unconditional.py"
model = dict(
    latent_sampler=dict(type="UniformLatent"),
    regularizers=dict(
        logan_d=dict(type="LatentOptimization", on="discriminator"),
        logan_g=dict(type="LatentOptimization", on="generator"),
    ),
)
