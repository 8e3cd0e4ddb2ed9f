_base_ = "./omnigan-no-weight-decay_biggan_fashion-mnist-32.py"
# 6,000 images a class: the paper's weight decay for CIFAR10 (5,000 a class).
optim_wrapper = dict(
    generator=dict(optimizer=dict(weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(weight_decay=1e-4)),
)
