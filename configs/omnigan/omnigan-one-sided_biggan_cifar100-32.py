_base_ = "./omnigan_biggan_cifar100-32.py"
# Omni-GAN's CIFAR100 settings: 4 critic updates, weight decay 1e-3 (G) and 5e-4 (D).
model = dict(losses=dict(omni=dict(one_sided=True)))
