_base_ = ["../_base_/models/omni-inr.py", "../_base_/recipes/imagenet-128_imagenet.py"]
# Omni-GAN, Table 7 and Appendix J: batch 256, one critic update, weight decay 1e-3 (G) and 1e-5 (D). As the
# released code the small network is told the size of a pixel (70,524,228 parameters); Table 7 does not:
# implicit=dict(cell="none").
model = dict(data_preprocessor=dict(flip_probability=0.5))
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-5)),
)
