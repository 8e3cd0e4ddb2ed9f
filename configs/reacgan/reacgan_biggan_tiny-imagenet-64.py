_base_ = ["../_base_/models/reacgan.py", "../_base_/recipes/tiny-imagenet-64.py"]
# Setting J of ReACGAN, Table A1: batch 1,024, one critic update.
model = dict(
    generator=dict(base_channels=80, latent_dim=100, attention_resolutions=(32,)),
    discriminator=dict(
        backbone=dict(base_channels=80, attention_resolutions=(32,)), heads=dict(cls=dict(embed_dim=768))
    ),
    losses=dict(
        contrastive=dict(temperature=0.75, positive_margin=1.0, weights=dict(real=0.75, generated=0.75))
    ),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=1, split_d=True),
)
