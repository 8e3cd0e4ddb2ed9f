_base_ = "./reacgan_biggan_fashion-mnist-32.py"
model = dict(augment=dict(type="DiffAugment"))
