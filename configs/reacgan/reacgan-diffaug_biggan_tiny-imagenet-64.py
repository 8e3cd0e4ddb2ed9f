_base_ = "./reacgan_biggan_tiny-imagenet-64.py"
model = dict(augment=dict(type="DiffAugment"))
