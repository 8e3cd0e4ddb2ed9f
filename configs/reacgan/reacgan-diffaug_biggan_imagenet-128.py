_base_ = "./reacgan_biggan_imagenet-128.py"
model = dict(augment=dict(type="DiffAugment"))
