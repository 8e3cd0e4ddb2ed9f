# FFHQ, 70,000 aligned faces, resized to 64 x 64. data/ffhq/*.png, without labels.
_base_ = "./ffhq-256.py"
train_dataloader = dict(dataset=dict(image_size=64))
