_base_ = "./icgan-class_biggan_fashion-mnist-32.py"
# A long tail: 6,000 images of the first class down to 12 of the last. The store, with k = 5 (App. K):
#   mmcgan prepare-instances --dataset icgan-class-lt_biggan_fashion-mnist-32 --k 5 \
#       --extractor FILE --out data/instances/fashion-mnist-lt-32
# Evaluation asks for all classes equally often: y, then an image of y, then an instance near it.
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            _delete_=True,
            type="ImbalancedDataset",
            dataset=dict(type="FashionMNIST", split="train", image_size=32),
            ratio=500,
        ),
        store="data/instances/fashion-mnist-lt-32",
        k=5,
    )
)
val_dataloader = dict(dataset=dict(condition_sampler=dict(_delete_=True, type="ClassInstances")))
val_evaluator = dict(
    metrics=[
        dict(type="FID"),
        dict(type="StratifiedFID", many=1000, few=100),
        dict(type="ConditionalAccuracy"),
    ]
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
