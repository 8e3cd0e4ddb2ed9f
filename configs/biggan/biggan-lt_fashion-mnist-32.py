_base_ = "biggan_fashion-mnist-32.py"
# The class-conditional baseline of icgan-class-lt_biggan_fashion-mnist-32: the same images, the same budget.
model = dict(condition_sampler=dict(type="EmpiricalLabel"))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="ImbalancedDataset",
        dataset=dict(type="FashionMNIST", split="train", image_size=32),
        ratio=500,
    )
)
val_dataloader = dict(dataset=dict(labels="balanced"))
