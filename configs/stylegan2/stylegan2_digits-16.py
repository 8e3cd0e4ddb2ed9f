_base_ = [
    "../_base_/models/stylegan2-laptop.py",
    "../_base_/datasets/digits-16.py",
    "../_base_/schedules/laptop-stylegan2.py",
]
