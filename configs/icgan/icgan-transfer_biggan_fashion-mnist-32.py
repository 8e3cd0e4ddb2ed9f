_base_ = "./icgan_biggan_fashion-mnist-32.py"
# Trained on seven classes; `mmcgan test` compares with the three that it never saw: Dress, Sneaker and Bag.
# Two stores, made with the same extractor:
#   mmcgan prepare-instances --dataset icgan-transfer_biggan_fashion-mnist-32 --extractor FILE \
#       --out data/instances/fashion-mnist-32-seen
#   mmcgan prepare-instances --dataset icgan-transfer_biggan_fashion-mnist-32 --extractor FILE \
#       --out data/instances/fashion-mnist-32-unseen \
#       --cfg-options "train_dataloader.dataset.dataset.keep=[3,7,8]"
# and instances of the unseen classes are asked for with
#   mmcgan test icgan-transfer_biggan_fashion-mnist-32 CKPT --cfg-options \
#       test_dataloader.dataset.condition_sampler.instance_store=data/instances/fashion-mnist-32-unseen
_images = dict(type="FashionMNIST", split="train", image_size=32)
_seen = dict(type="ClassSubset", dataset=_images, keep=(0, 1, 2, 4, 5, 6, 9))
_unseen = dict(type="ClassSubset", dataset=_images, keep=(3, 7, 8))
train_dataloader = dict(
    dataset=dict(dataset=dict(_delete_=True, **_seen), store="data/instances/fashion-mnist-32-seen")
)
val_evaluator = dict(reference=dict(dataset=dict(_delete_=True, **_seen)))
test_evaluator = dict(reference=dict(dataset=dict(_delete_=True, **_unseen)))
