# The authors' FFHQ-64 preset: 22,429,824 and 22,381,440 parameters, batch 256.
_base_ = [
    "../_base_/models/r3gan-unconditional.py",
    "../_base_/datasets/ffhq-64.py",
    "../_base_/schedules/r3gan.py",
]
_widths, _groups, _blocks = (768, 768, 768, 768, 384), (96, 96, 96, 96, 48), (2,) * 5
model = dict(
    generator=dict(channels=_widths, groups=_groups, blocks=_blocks),
    discriminator=dict(backbone=dict(channels=_widths[::-1], groups=_groups[::-1], blocks=_blocks)),
)
train_dataloader = dict(batch_size=256 * 2)  # batch x (discriminator's and generator's own)
default_hooks = dict(
    schedule=dict(
        values={
            "regularizers.r1.weight": dict(start=2.0, end=0.2),
            "regularizers.r2.weight": dict(start=2.0, end=0.2),
            "generator_ema.half_life_images": dict(end=500_000),
            "augment.probability.p": dict(end=0.3),
        }
    )
)
