# Cityscapes, fine annotations, 256 x 512, all 35 raw classes and the borders of instances.
# data/cityscapes/leftImg8bit/train/<city>/*.png and data/cityscapes/gtFine/train/<city>/*.png.
_base_ = "./imagenet-128.py"
train_dataloader = dict(
    batch_size=16, dataset=dict(type="Cityscapes", root="data/cityscapes", image_size=(256, 512))
)
