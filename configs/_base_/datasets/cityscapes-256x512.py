# Cityscapes, fine annotations, 256 x 512, all 35 raw classes and the borders of instances.
# data/cityscapes/leftImg8bit/train/<city>/*.png and data/cityscapes/gtFine/train/<city>/*.png.
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(type="Cityscapes", root="data/cityscapes", split="train", image_size=(256, 512)),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
