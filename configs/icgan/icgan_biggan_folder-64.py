# A folder of your own images, without labels:
#   mmcgan train-ssl-extractor --images DIR --image-size 64 --flip --out ssl.safetensors
#   mmcgan prepare-instances --images DIR --unlabelled --image-size 64 --flip --extractor ssl.safetensors \
#       --out store
#   mmcgan train icgan_biggan_folder-64 --cfg-options train_dataloader.dataset.dataset.root=DIR \
#       train_dataloader.dataset.store=store
_base_ = ["../_base_/models/icgan.py", "../_base_/schedules/imagenet.py"]
model = dict(
    generator=dict(base_channels=32, attention_resolutions=(32,)),
    discriminator=dict(backbone=dict(base_channels=32, attention_resolutions=(32,))),
    condition_sampler=dict(flip=True),
    augment=dict(type="DiffAugment", policy=("translation",)),
    data_preprocessor=dict(flip_probability=0.5),
)
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        type="NeighbourhoodDataset",
        dataset=dict(type="ImageFolder", root="data/images", image_size=64, labelled=False),
        store="data/instances/images",
        flip=True,
    ),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
train_cfg = dict(max_iters=50_000)
default_hooks = dict(generator_ema=dict(decay=0.999, start=1000))
