# Fashion-MNIST, 28 x 28 padded to 32 x 32. Debian package dataset-fashion-mnist, or
# dataset.root=DIR with the IDX files, or dataset.download=True.
_base_ = "./digits-16.py"
train_dataloader = dict(dataset=dict(type="FashionMNIST", image_size=32))
val_dataloader = dict(dataset=dict(size=10000))
val_evaluator = dict(
    extractor=dict(weights="fashion-mnist-32"),
    reference=dict(dataset=dict(type="FashionMNIST", image_size=32)),
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
