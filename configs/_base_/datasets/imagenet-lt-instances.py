# ImageNet-LT with instances, k = 5 (App. K); a config adds `image_size`. The store, once for every size:
#   mmcgan prepare-instances --dataset icgan-class_biggan_imagenet-lt-256 --k 5 --kmeans 1000 \
#       --extractor balanced-resnet50:FILE --out data/instances/imagenet-lt
_base_ = "./imagenet-instances.py"
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type="NeighbourhoodDataset",
        dataset=dict(type="ImageNetLT", root="data/imagenet", lists="data/imagenet-lt", split="train"),
        store="data/instances/imagenet-lt",
        k=5,
    ),
)
