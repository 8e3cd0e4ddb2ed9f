# Scenes of coloured digits with label maps, made on the spot (no files). dataset.source='fashion-mnist' for
# garments; evaluation asks for the label maps of the test split.
_base_ = "./digits-16.py"
train_dataloader = dict(batch_size=16, dataset=dict(type="Scenes", image_size=64))
val_dataloader = dict(
    batch_size=100,
    dataset=dict(
        _delete_=True, type="LabelMapConditions", dataset=dict(type="Scenes", split="test", image_size=64)
    ),
)
val_evaluator = dict(
    extractor=dict(type="SmallSegmenter", weights="scenes-64"),
    metrics=[dict(type="MIoU"), dict(type="FID")],
    reference=dict(dataset=dict(type="Scenes", split="test", image_size=64)),
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
