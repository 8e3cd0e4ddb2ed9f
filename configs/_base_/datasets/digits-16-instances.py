# Digits with instances. Their store, once (a minute):
#   mmcgan train-ssl-extractor --dataset icgan_biggan_digits-16 --image-size 16 --epochs 10 \
#       --out data/instances/digits-ssl.safetensors
#   mmcgan prepare-instances --dataset icgan_biggan_digits-16 --k 20 --kmeans 100 \
#       --extractor data/instances/digits-ssl.safetensors --out data/instances/digits-16
_base_ = "./digits-16.py"
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="NeighbourhoodDataset",
        dataset=dict(type="DigitsDataset", split="train", image_size=16),
        store="data/instances/digits-16",
        k=20,
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="InstanceConditionDataset",
        size=5000,
        condition_sampler=dict(type="AllInstances", num_classes=0),
    )
)
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="PRDC", max_images=5000)])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
