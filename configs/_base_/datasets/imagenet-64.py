# ImageNet-1k, the largest centre square resized to 64 x 64, as BigGAN does.
_base_ = "./imagenet-128.py"
train_dataloader = dict(dataset=dict(image_size=64))
