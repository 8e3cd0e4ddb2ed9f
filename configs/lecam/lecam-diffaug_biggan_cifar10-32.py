_base_ = "./lecam_biggan_cifar10-32.py"
model = dict(augment=dict(type="DiffAugment"))
