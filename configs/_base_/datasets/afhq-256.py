# AFHQ (version 2), 14,336 training pictures of cats, dogs and wild animals, resized to 256 x 256.
# data/afhq/train/{cat,dog,wild}/*.png, as the archive unpacks.
train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="ImageFolder", root="data/afhq/train", image_size=256, fit="exact"),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
