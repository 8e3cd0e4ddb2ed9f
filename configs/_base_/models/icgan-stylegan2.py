# IC-GAN on StyleGAN2 (App. B.1): the instance passes a linear map of width 512 into the mapping network,
# and a mapping network of the discriminator's own into the projection. gamma = 0.05 (App. B.2).
_base_ = "./stylegan2.py"
model = dict(
    generator=dict(num_classes=0, mapping_layers=2),
    discriminator=dict(heads=dict(adv=dict(num_classes=0))),
    regularizers=dict(r1=dict(weight=0.05)),
    condition_sampler=dict(_delete_=True, type="AllInstances", num_classes=0),
)
