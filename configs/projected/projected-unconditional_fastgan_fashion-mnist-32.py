_base_ = ["./projected_fastgan_fashion-mnist-32.py", "../_base_/parts/projected-unconditional.py"]
model = {{_base_._unconditional}}
val_dataloader = dict(dataset=dict(num_classes=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="InceptionScore")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
