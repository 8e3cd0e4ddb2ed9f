# The authors' ImageNet-64 preset: 103,570,432 and 107,205,120 parameters, batch 4096.
_base_ = "./r3gan_imagenet-32.py"
_widths, _groups, _blocks = (1536,) * 5, (96,) * 5, (2,) * 5
model = dict(
    generator=dict(channels=_widths, groups=_groups, blocks=_blocks),
    discriminator=dict(backbone=dict(channels=_widths, groups=_groups, blocks=_blocks)),
)
train_dataloader = dict(dataset=dict(image_size=64))
default_hooks = dict(
    schedule=dict(
        values={
            "regularizers.r1.weight": dict(start=1.0, end=0.1),
            "regularizers.r2.weight": dict(start=1.0, end=0.1),
            "augment.probability.p": dict(end=0.4),
        }
    )
)
