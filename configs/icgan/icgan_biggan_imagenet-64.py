_base_ = ["../_base_/models/icgan.py", "../_base_/recipes/imagenet-instances.py"]
model = dict(
    generator=dict(base_channels=64, attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(base_channels=64, attention_resolutions=(32,))),
    condition_sampler=dict(flip=True),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=1),
)
train_dataloader = dict(batch_size=256 * 1, dataset=dict(dataset=dict(image_size=64)))  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-4)), discriminator=dict(optimizer=dict(lr=1e-4)))
