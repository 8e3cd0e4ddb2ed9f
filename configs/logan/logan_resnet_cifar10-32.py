_base_ = [
    "../_base_/models/logan.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/cifar-studiogan.py",
]
model = dict(data_preprocessor=dict(flip_probability=0.5))
train_dataloader = dict(batch_size=64 * 5)  # batch x n_critic
