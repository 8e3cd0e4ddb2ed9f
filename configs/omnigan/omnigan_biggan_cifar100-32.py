_base_ = "./omnigan_biggan_cifar10-32.py"
# Omni-GAN's CIFAR100 settings: 4 critic updates, weight decay 1e-3 (G) and 5e-4 (D).
model = dict(step=dict(n_critic=4))
train_dataloader = dict(batch_size=32 * 4, dataset=dict(type="CIFAR100"))
optim_wrapper = dict(discriminator=dict(optimizer=dict(weight_decay=5e-4)))
