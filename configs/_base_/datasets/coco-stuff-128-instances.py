# COCO-Stuff, the pictures of COCO 2017 at 128 x 128, with instances. Their store, once:
#   mmcgan prepare-instances --dataset stylegan2-icgan_coco-stuff-128 --flip --k 50 --kmeans 1000 \
#       --out data/instances/coco-stuff-128
_base_ = "./imagenet-instances.py"
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        dataset=dict(
            _delete_=True, type="ImageFolder", root="data/coco/train2017", image_size=128, labelled=False
        ),
        store="data/instances/coco-stuff-128",
    ),
)
