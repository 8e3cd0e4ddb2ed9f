_base_ = [
    "../_base_/models/stylegan2-laptop.py",
    "../_base_/datasets/fashion-mnist-32.py",
    "../_base_/schedules/laptop-stylegan2.py",
]
train_cfg = dict(max_iters=2000)
