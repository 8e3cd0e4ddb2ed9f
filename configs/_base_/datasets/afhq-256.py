# AFHQ (version 2), 14,336 training pictures of cats, dogs and wild animals, resized to 256 x 256.
# data/afhq/train/{cat,dog,wild}/*.png, as the archive unpacks.
_base_ = "./imagenet-128.py"
train_dataloader = dict(
    batch_size=64,
    dataset=dict(_delete_=True, type="ImageFolder", root="data/afhq/train", image_size=256, fit="exact"),
)
