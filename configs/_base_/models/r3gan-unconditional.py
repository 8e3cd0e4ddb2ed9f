# R3GAN without a condition, with the augmentation of its presets.
_base_ = "./r3gan-augment.py"
model = dict(
    generator=dict(num_classes=0),
    discriminator=dict(heads=dict(adv=dict(num_classes=0))),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
