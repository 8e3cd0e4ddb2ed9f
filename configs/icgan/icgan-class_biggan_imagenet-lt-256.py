_base_ = [
    "../_base_/models/icgan-class.py",
    "../_base_/datasets/imagenet-lt-instances.py",
    "../_base_/schedules/imagenet.py",
]
model = dict(
    generator=dict(base_channels=64, attention_resolutions=(64,)),
    discriminator=dict(backbone=dict(base_channels=64, attention_resolutions=(64,))),
    augment=dict(type="DiffAugment", policy=("translation",)),
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=2),
)
train_dataloader = dict(batch_size=128 * 2, dataset=dict(dataset=dict(image_size=256)))  # batch x n_critic
optim_wrapper = dict(generator=dict(optimizer=dict(lr=1e-4)), discriminator=dict(optimizer=dict(lr=1e-4)))
