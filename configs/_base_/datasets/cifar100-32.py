# CIFAR100, 50,000 training images of 32 x 32.
# torchvision's files under data/, or dataset.download=True.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="CIFAR100", root="data", split="train"),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
