# ImageNet-1k, the largest centre square resized to 32 x 32.
# data/imagenet/train/<wordnet id>/*.JPEG; pack it first for speed: mmcgan pack-dataset.
_base_ = "./imagenet-64.py"
train_dataloader = dict(dataset=dict(image_size=32))
