_base_ = "./reacgan_biggan_cifar10-32.py"
# Setting D of ReACGAN, Table A1.
model = dict(augment=dict(type="DiffAugment"))
train_cfg = dict(max_iters=200_000)
