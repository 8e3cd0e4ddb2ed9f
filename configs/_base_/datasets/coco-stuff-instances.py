# COCO-Stuff (2017) with instances, k = 5 (App. K); a config adds `image_size`. The lists and the store, once:
#   mmcgan coco-stuff-split --annotations data/coco/annotations --out data/coco/splits
#   mmcgan prepare-instances --dataset icgan_biggan_coco-stuff-256 --flip --k 5 --kmeans 1000 \
#       --extractor swav-resnet50:swav_800ep_pretrain.pth.tar --out data/instances/coco-stuff
_base_ = "./imagenet-instances.py"
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            _delete_=True,
            type="ImageList",
            root="data/coco",
            names="data/coco/splits/train.txt",
            fit="stretch",
        ),
        store="data/instances/coco-stuff",
        k=5,
    )
)
