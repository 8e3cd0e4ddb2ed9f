_base_ = "./acgan_resnet_cifar10-32.py"
train_dataloader = dict(dataset=dict(type="CIFAR100"))
