_base_ = ["../_base_/models/sagan.py", "../_base_/recipes/cifar10-32.py"]
# Self-attention at 16 x 16 in both networks.
model = dict(
    generator=dict(attention_resolutions=(16,)),
    discriminator=dict(backbone=dict(attention_resolutions=(16,))),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=5, split_d=True),
)
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
