# Tiny-ImageNet, 100,000 training images of 64 x 64 in 200 classes: the unpacked archive under
# data/tiny-imagenet-200, or dataset.root=DIR.
_base_ = "./imagenet-128.py"
train_dataloader = dict(
    batch_size=64,
    dataset=dict(_delete_=True, type="TinyImageNet", root="data/tiny-imagenet-200", split="train"),
)
