# FFHQ, 70,000 aligned faces, resized to 256 x 256. data/ffhq/*.png, without labels.
train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="ImageFolder", root="data/ffhq", image_size=256, labelled=False),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
