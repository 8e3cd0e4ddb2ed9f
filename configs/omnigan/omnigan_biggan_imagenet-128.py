_base_ = ["../_base_/models/omnigan.py", "../_base_/recipes/imagenet-128_imagenet.py"]
# Omni-GAN, Appendix J: batch 256, one critic update, weight decay 1e-3 (G) and 1e-5 (D).
model = dict(data_preprocessor=dict(flip_probability=0.5))
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-5)),
)
