_base_ = ["../_base_/models/icgan-class.py", "../_base_/recipes/imagenet-instances.py"]
model = {{_base_._networks_128}}
train_dataloader = dict(
    batch_size=2048 * 1,  # batch x n_critic
    dataset=dict(dataset=dict(image_size=128), store="data/instances/imagenet-supervised"),
)
optim_wrapper = dict(generator=dict(optimizer=dict(lr=4e-5)), discriminator=dict(optimizer=dict(lr=1e-4)))
