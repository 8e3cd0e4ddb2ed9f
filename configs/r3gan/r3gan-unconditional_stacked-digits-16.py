_base_ = "./r3gan_stacked-digits-16.py"
model = dict(
    generator=dict(num_classes=0),
    discriminator=dict(heads=dict(adv=dict(num_classes=0))),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
val_dataloader = dict(dataset=dict(num_classes=0))
val_evaluator = dict(metrics=[dict(type="FID"), dict(type="ModeCoverage")])
test_dataloader, test_evaluator = val_dataloader, val_evaluator
