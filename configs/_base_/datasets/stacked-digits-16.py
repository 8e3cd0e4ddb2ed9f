# Three of scikit-learn's digits in the three colours: 1,000 classes, some 50 images of each; nothing to
# download. 26,000 images tell how many of the 1,000 are found.
_base_ = "./digits-16.py"
_images = dict(type="StackedDigits", split="train", image_size=16)
train_dataloader = dict(dataset=_images)
val_dataloader = dict(dataset=dict(size=26_000))
val_evaluator = dict(
    extractor=dict(type="StackedClassifier"),
    metrics=[dict(type="FID"), dict(type="ModeCoverage"), dict(type="ConditionalAccuracy")],
    reference=dict(dataset=_images),
)
test_dataloader, test_evaluator = val_dataloader, val_evaluator
