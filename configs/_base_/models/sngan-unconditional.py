# SNGAN without labels (Miyato et al., 2018): plain batch norm in the generator.
_base_ = "./sngan.py"
model = dict(
    generator=dict(num_classes=0),
    discriminator=dict(heads=dict(_delete_=True, adv=dict(type="AdversarialHead"))),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
