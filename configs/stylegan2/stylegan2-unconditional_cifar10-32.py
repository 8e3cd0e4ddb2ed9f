_base_ = "stylegan2_cifar10-32.py"
model = dict(
    generator=dict(num_classes=0),
    discriminator=dict(heads=dict(adv=dict(_delete_=True, type="AdversarialHead", spectral_norm=False))),
)
