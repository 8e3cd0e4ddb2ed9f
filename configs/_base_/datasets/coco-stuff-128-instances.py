# COCO-Stuff, the pictures of COCO 2017 at 128 x 128, with instances. Their store, once:
#   mmcgan prepare-instances --dataset stylegan2-icgan_coco-stuff-128 --flip --k 50 --kmeans 1000 \
#       --out data/instances/coco-stuff-128
train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(
        type="NeighbourhoodDataset",
        dataset=dict(type="ImageFolder", root="data/coco/train2017", image_size=128, labelled=False),
        store="data/instances/coco-stuff-128",
        k=50,
        flip=True,
    ),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
