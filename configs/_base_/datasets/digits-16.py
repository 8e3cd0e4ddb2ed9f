# scikit-learn's 1,797 handwritten digits, enlarged to 16 x 16; nothing to download.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="DigitsDataset", split="train", image_size=16),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="ConditionDataset", size=5000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="SmallClassifier", weights="digits-16"),
    metrics=[dict(type="FID"), dict(type="InceptionScore"), dict(type="ConditionalAccuracy")],
    reference=dict(dataset=dict(type="DigitsDataset", split="train", image_size=16)),
)
val_cfg = dict(type="ValLoop")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type="TestLoop")
