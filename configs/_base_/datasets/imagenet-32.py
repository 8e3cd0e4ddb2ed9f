# ImageNet-1k, the largest centre square resized to 32 x 32.
_base_ = "./imagenet-128.py"
train_dataloader = dict(dataset=dict(image_size=32))
