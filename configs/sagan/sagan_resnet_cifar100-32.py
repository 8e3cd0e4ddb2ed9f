_base_ = "./sagan_resnet_cifar10-32.py"
# Self-attention at 16 x 16 in both networks.
train_dataloader = dict(dataset=dict(type="CIFAR100"))
