_base_ = ["../_base_/models/wgan-dra.py", "../_base_/recipes/cifar10-32.py"]
model = dict(data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
