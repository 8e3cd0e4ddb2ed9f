# Fashion-MNIST for models without labels: nothing asks for a class, so there is none to be right about.
_base_ = "./fashion-mnist-32.py"
val_dataloader = dict(dataset=dict(num_classes=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="InceptionScore")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
