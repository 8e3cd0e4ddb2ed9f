_base_ = [
    "../_base_/models/stylegan2-cifar.py",
    "../_base_/datasets/cifar100-32.py",
    "../_base_/schedules/stylegan2-cifar.py",
]
