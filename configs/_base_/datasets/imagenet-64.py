# ImageNet-1k, the largest centre square resized to 64 x 64, as BigGAN does.
# data/imagenet/train/<wordnet id>/*.JPEG; pack it first for speed: mmcgan pack-dataset.
train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="ImageNet", root="data/imagenet", split="train", image_size=64),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
