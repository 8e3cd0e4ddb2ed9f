_base_ = ["../_base_/models/sagan.py", "../_base_/recipes/imagenet-128_imagenet.py"]
# SAGAN: batch 256, one critic update, Adam (0, 0.9), G 1e-4, D 4e-4, self-attention at 32 x 32.
model = dict(
    generator=dict(attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(attention_resolutions=(32,))),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=1),
)
optim_wrapper = dict(
    generator=dict(optimizer=dict(betas=(0.0, 0.9))),
    discriminator=dict(optimizer=dict(betas=(0.0, 0.9))),
)
