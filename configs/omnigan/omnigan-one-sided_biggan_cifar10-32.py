_base_ = "./omnigan_biggan_cifar10-32.py"
# Omni-GAN's CIFAR10 settings: 3 critic updates, weight decay 1e-3 (G) and 1e-4 (D).
model = dict(losses=dict(omni=dict(one_sided=True)))
