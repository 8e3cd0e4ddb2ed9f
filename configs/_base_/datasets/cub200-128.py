# CUB-200-2011, all 11,788 pictures of 200 kinds of birds, the largest centre square resized to
# 128 x 128. data/cub200/<001.Black_footed_Albatross>/*.jpg is the archive's folder `images`.
train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="ImageFolder", root="data/cub200", image_size=128),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
