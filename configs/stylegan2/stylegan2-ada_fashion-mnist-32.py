# ADA with the pipeline's default groups (bgc); p may go from 0 to 1 within 100,000 images.
_base_ = "stylegan2_fashion-mnist-32.py"
model = dict(augment=dict(type="ADA", adapt=dict(target=0.6, kimg=100, interval=4)))
