# CUB-200-2011, all 11,788 pictures of 200 kinds of birds, the largest centre square resized to
# 128 x 128. data/cub200/<001.Black_footed_Albatross>/*.jpg is the archive's folder `images`.
_base_ = "./imagenet-128.py"
train_dataloader = dict(dataset=dict(_delete_=True, type="ImageFolder", root="data/cub200", image_size=128))
