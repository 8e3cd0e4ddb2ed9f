# R3GAN with the augmentation of its presets: ADA's geometry and cutout with probability p, colours half as
# often; p follows a schedule, not the discriminator.
_base_ = "./r3gan-networks.py"
model = dict(
    augment=dict(type="ADA", transforms=("bgc", "cutout"), p=0.0, shares=dict(colour=0.5)),
)
