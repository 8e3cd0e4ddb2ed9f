# Scenes of coloured digits with label maps, made on the spot (no files). dataset.source='fashion-mnist' for
# garments; evaluation asks for the label maps of the test split.
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=dict(type="Scenes", split="train", image_size=64),
    sampler=dict(type="InfiniteShuffle"),
    collate_fn=dict(type="gan_collate"),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=0,
    dataset=dict(type="LabelMapConditions", dataset=dict(type="Scenes", split="test", image_size=64)),
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    collate_fn=dict(type="gan_collate"),
)
val_evaluator = dict(
    type="GenerationEvaluator",
    extractor=dict(type="SmallSegmenter", weights="scenes-64"),
    metrics=[dict(type="MIoU"), dict(type="FID")],
    reference=dict(dataset=dict(type="Scenes", split="test", image_size=64)),
)
val_cfg = dict(type="ValLoop")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type="TestLoop")
