_base_ = ["../_base_/models/omni-inr.py", "../_base_/recipes/imagenet-256.py"]
# Omni-GAN, Table 8 and Appendix J: batch 128 accumulated twice, two critic updates, a non-local block at
# 64 x 64 in the generator only, weight decay 1e-4 (G) and 1e-5 (D).
model = dict(
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2, d_accumulation=2, g_accumulation=2),
)
train_dataloader = dict(batch_size=128 * 2 * 2)  # batch x n_critic x accumulation
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-4)),
    discriminator=dict(optimizer=dict(weight_decay=1e-5)),
)
