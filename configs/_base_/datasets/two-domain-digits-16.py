# scikit-learn's digits, plain and on coloured textures, 16 x 16; attributes digit and domain; no download.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type="TwoDomainDigits", split="train", image_size=16),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="AttributeConditionDataset", size=5000),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="AttributeClassifier", weights="two-domain-digits-16"),
    metrics=[dict(type="FID"), dict(type="AttributeAccuracy")],
    # all combinations, also where training leaves some out
    reference=dict(dataset=dict(type="TwoDomainDigits", split="train", image_size=16)),
)
val_cfg = dict(type="ValLoop")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type="TestLoop")
