_base_ = "../omnigan/omnigan_biggan_cifar10-32.py"
# Omni-GAN's CIFAR10 settings with an implicit output layer.
model = dict(
    generator=dict(implicit=dict(hidden=(64, 64))),
    discriminator=dict(backbone=dict(attention_resolutions=())),
)
