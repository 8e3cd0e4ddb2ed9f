_base_ = ["../_base_/models/ggan.py", "../_base_/recipes/cifar10-32.py"]
model = dict(data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(batch_size=64 * 2)  # batch x n_critic
train_cfg = dict(max_iters=200_000)
