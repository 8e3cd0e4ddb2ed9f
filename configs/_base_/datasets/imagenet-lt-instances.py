# ImageNet-LT with instances, k = 5 (App. K); a config adds `image_size`. The store, once for every size:
#   mmcgan prepare-instances --dataset icgan-class_biggan_imagenet-lt-256 --k 5 --kmeans 1000 \
#       --extractor balanced-resnet50:FILE --out data/instances/imagenet-lt
train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(
        type="NeighbourhoodDataset",
        dataset=dict(type="ImageNetLT", root="data/imagenet", lists="data/imagenet-lt", split="train"),
        store="data/instances/imagenet-lt",
        k=5,
    ),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
