# Fashion-MNIST, 28 x 28 padded to 32 x 32. Debian package dataset-fashion-mnist, or
# dataset.root=DIR with the IDX files, or dataset.download=True.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="FashionMNIST", split="train", image_size=32),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="ConditionDataset", size=10000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="SmallClassifier", weights="fashion-mnist-32"),
    metrics=[dict(type="FID"), dict(type="InceptionScore"), dict(type="ConditionalAccuracy")],
    reference=dict(dataset=dict(type="FashionMNIST", split="train", image_size=32)),
)
val_cfg = dict(type="ValLoop")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type="TestLoop")
