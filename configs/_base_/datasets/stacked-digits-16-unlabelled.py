# Stacked digits for models without labels.
_base_ = "./stacked-digits-16.py"
val_dataloader = dict(dataset=dict(num_classes=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="ModeCoverage")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
