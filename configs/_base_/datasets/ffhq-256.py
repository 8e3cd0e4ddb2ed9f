# FFHQ, 70,000 aligned faces, resized to 256 x 256. data/ffhq/*.png, without labels.
_base_ = "./imagenet-128.py"
train_dataloader = dict(
    batch_size=64,
    dataset=dict(_delete_=True, type="ImageFolder", root="data/ffhq", image_size=256, labelled=False),
)
