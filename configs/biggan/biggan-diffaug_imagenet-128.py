_base_ = "./biggan_imagenet-128.py"
# Setting N of ReACGAN, Table A1.
model = dict(augment=dict(type="DiffAugment"))
train_cfg = dict(max_iters=600_000)
