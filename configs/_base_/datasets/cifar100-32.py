# CIFAR100, 50,000 training images of 32 x 32.
# torchvision's files under data/, or dataset.download=True.
_base_ = "./cifar10-32.py"
train_dataloader = dict(dataset=dict(type="CIFAR100"))
