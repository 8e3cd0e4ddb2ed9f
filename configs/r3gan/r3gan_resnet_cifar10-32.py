_base_ = ["../_base_/models/r3gan.py", "../_base_/recipes/cifar10-32.py"]
# Batch, rate and gamma as in the authors' CIFAR10 preset; its schedules of the three are not here.
model = dict(data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
    discriminator=dict(optimizer=dict(lr=2e-4, betas=(0.0, 0.9))),
)
