_base_ = ["../_base_/models/acgan-resnet.py", "../_base_/recipes/cifar10-32.py"]
model = dict(
    data_preprocessor=dict(flip_probability=0.5),
    step=dict(n_critic=5, split_d=True),
)
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
