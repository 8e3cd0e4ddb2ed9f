_base_ = "stylegan2_cifar100-32.py"
model = dict(augment=dict(type="ADA", adapt=dict(target=0.6, kimg=500, interval=4)))
train_cfg = dict(max_iters=1_000_000)
