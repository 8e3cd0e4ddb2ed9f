# A folder of pictures of one's own, cut to squares of 64 x 64: data/images/*.png, without labels.
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(type="ImageFolder", root="data/images", image_size=64, labelled=False),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
