_base_ = [
    "../_base_/models/icgan-stylegan2.py",
    "../_base_/datasets/coco-stuff-instances.py",
    "../_base_/schedules/stylegan2-cifar.py",
]
model = dict(
    regularizers=dict(r1=dict(weight=0.5)),
    condition_sampler=dict(flip=True),
    data_preprocessor=dict(flip_probability=0.5),
)
train_dataloader = dict(batch_size=64, dataset=dict(dataset=dict(image_size=256)))
# Learning rates and betas corrected for lazy regularisation, every 4 and 16 iterations.
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=0.003 * 4 / 5)),
    discriminator=dict(optimizer=dict(lr=0.003 * 16 / 17)),
)
