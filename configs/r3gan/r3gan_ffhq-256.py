# The authors' FFHQ-256 preset: 23,057,952 and 23,009,568 parameters, batch 256; 4 to 16 px in full precision.
_base_ = "./r3gan_ffhq-64.py"
_widths = (768, 768, 768, 768, 384, 192, 96)
_groups, _blocks = (96, 96, 96, 96, 48, 24, 12), (2,) * 7
model = dict(
    generator=dict(channels=_widths, groups=_groups, blocks=_blocks, full_precision_stages=3),
    discriminator=dict(
        backbone=dict(channels=_widths[::-1], groups=_groups[::-1], blocks=_blocks, full_precision_stages=3)
    ),
)
train_dataloader = dict(dataset=dict(image_size=256))
default_hooks = dict(
    schedule=dict(
        values={
            "regularizers.r1.weight": dict(start=150.0, end=15.0),
            "regularizers.r2.weight": dict(start=150.0, end=15.0),
        }
    )
)
