_base_ = "stylegan2-d2dce_cifar10-32.py"
model = dict(augment=dict(type="ADA", adapt=dict(target=0.8, kimg=500, interval=4)))
train_cfg = dict(max_iters=1_000_000)
