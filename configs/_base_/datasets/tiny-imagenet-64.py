# Tiny-ImageNet, 100,000 training images of 64 x 64 in 200 classes: the unpacked archive under
# data/tiny-imagenet-200, or dataset.root=DIR.
train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="TinyImageNet", root="data/tiny-imagenet-200", split="train"),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
