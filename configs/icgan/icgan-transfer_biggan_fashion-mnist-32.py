_base_ = "./icgan_biggan_fashion-mnist-32.py"
# Trained on seven classes, asked in `mmcgan test` for instances of the three that it never saw: Dress,
# Sneaker and Bag. Two stores, made with the same extractor:
#   mmcgan prepare-instances --dataset icgan-transfer_biggan_fashion-mnist-32 --extractor FILE \
#       --out data/instances/fashion-mnist-32-seen
#   mmcgan prepare-instances --dataset icgan-transfer_biggan_fashion-mnist-32 --extractor FILE \
#       --out data/instances/fashion-mnist-32-unseen \
#       --cfg-options "train_dataloader.dataset.dataset.keep=[3,7,8]"
images = dict(type="FashionMNIST", split="train", image_size=32)
unseen = dict(_delete_=True, type="ClassSubset", dataset=images, keep=(3, 7, 8))
train_dataloader = dict(
    dataset=dict(
        dataset=dict(_delete_=True, type="ClassSubset", dataset=images, keep=(0, 1, 2, 4, 5, 6, 9)),
        store="data/instances/fashion-mnist-32-seen",
    )
)
val_evaluator = dict(
    reference=dict(
        dataset=dict(_delete_=True, type="ClassSubset", dataset=images, keep=(0, 1, 2, 4, 5, 6, 9))
    )
)
test_dataloader = dict(
    dataset=dict(condition_sampler=dict(instance_store="data/instances/fashion-mnist-32-unseen"))
)
test_evaluator = dict(reference=dict(dataset=unseen))
