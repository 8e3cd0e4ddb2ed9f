_base_ = "./biggan_omnigan-settings_cifar10-32.py"
# The baseline of the Omni-GAN paper: projection, no weight decay, 500 epochs, average from 1,000.
train_dataloader = dict(dataset=dict(type="CIFAR100"))
