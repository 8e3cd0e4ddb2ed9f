# The unconditional baseline of BigGAN-PyTorch and IC-GAN: its networks with every label zero,
# and a discriminator that never looks at one.
_base_ = "./biggan.py"
model = dict(
    discriminator=dict(heads=dict(_delete_=True, adv=dict(type="AdversarialHead"))),
    condition_sampler=dict(_delete_=True, type="ConstantLabel", label=0),
)
