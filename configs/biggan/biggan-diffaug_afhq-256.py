_base_ = "./biggan_afhq-256.py"
model = dict(augment=dict(type="DiffAugment"))
