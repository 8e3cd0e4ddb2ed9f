# ImageNet with instances, k = 50; a config adds `image_size`. The store, once for every size:
#   mmcgan prepare-instances --dataset icgan_biggan_imagenet-256 --flip --k 50 --kmeans 1000 \
#       --extractor swav-resnet50:swav_800ep_pretrain.pth.tar --out data/instances/imagenet-swav
# Class-conditional models take the supervised ResNet-50: --extractor supervised-resnet50:FILE
#       --out data/instances/imagenet-supervised
train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(
        type="NeighbourhoodDataset",
        dataset=dict(type="ImageNet", root="data/imagenet", split="train"),
        store="data/instances/imagenet-swav",
        k=50,
        flip=True,
    ),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
