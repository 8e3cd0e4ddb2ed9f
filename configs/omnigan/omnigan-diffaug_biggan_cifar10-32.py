_base_ = "./omnigan_biggan_cifar10-32.py"
model = dict(augment=dict(type="DiffAugment"))
