_base_ = "./reacgan_biggan_cub200-128.py"
model = dict(augment=dict(type="DiffAugment"))
