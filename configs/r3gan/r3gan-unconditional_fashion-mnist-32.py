_base_ = "./r3gan_fashion-mnist-32.py"
model = dict(
    generator=dict(num_classes=0),
    discriminator=dict(heads=dict(adv=dict(num_classes=0))),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
# Every label is zero in evaluation too; there is no class to be right about.
val_dataloader = dict(dataset=dict(labels=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="InceptionScore")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
