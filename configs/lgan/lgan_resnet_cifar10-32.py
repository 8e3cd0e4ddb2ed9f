_base_ = ["../_base_/models/lgan.py", "../_base_/recipes/cifar10-32.py"]
model = dict(data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
    discriminator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
)
