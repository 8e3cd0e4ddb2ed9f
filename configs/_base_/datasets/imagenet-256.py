# ImageNet-1k, the largest centre square resized to 256 x 256, as BigGAN does.
_base_ = "./imagenet-128.py"
train_dataloader = dict(dataset=dict(image_size=256))
