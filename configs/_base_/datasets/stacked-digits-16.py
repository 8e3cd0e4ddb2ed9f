# Three of scikit-learn's digits in the three colours: 1,000 classes, some 50 images of each; nothing to
# download. 26,000 images tell how many of the 1,000 are found.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="StackedDigits", split="train", image_size=16),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="ConditionDataset", size=26_000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="StackedClassifier", weights="digits-16"),
    metrics=[dict(type="FID"), dict(type="ModeCoverage"), dict(type="ConditionalAccuracy")],
    reference=dict(dataset=dict(type="StackedDigits", split="train", image_size=16)),
)
val_cfg = dict(type="ValLoop")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type="TestLoop")
