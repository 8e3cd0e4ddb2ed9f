# scikit-learn's digits, plain and on coloured textures, 16 x 16; attributes digit and domain; no download.
_base_ = "./digits-16.py"
train_dataloader = dict(dataset=dict(type="TwoDomainDigits"))
val_dataloader = dict(dataset=dict(type="AttributeConditionDataset"))
val_evaluator = dict(
    extractor=dict(type="AttributeClassifier", weights="two-domain-digits-16"),
    metrics=[dict(type="FID"), dict(type="AttributeAccuracy")],
    # all combinations, also where training leaves some out
    reference=dict(dataset=dict(type="TwoDomainDigits")),
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
