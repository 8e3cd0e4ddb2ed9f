_base_ = ["../_base_/models/acgan.py", "../_base_/recipes/cifar10-32.py"]
model = dict(
    generator=dict(latent_dim=80, attention_resolutions=(16,)),
    discriminator=dict(backbone=dict(attention_resolutions=(16,))),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=5, split_d=True),
)
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
