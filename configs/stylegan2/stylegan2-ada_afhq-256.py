_base_ = [
    "../_base_/models/stylegan2-afhq.py",
    "../_base_/datasets/afhq-256.py",
    "../_base_/schedules/stylegan2-afhq.py",
]
model = dict(augment=dict(type="ADA", adapt=dict(target=0.6, kimg=500, interval=4)))
