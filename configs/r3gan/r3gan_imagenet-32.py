# The authors' ImageNet-32 preset: 82,914,304 and 86,548,992 parameters, batch 4096,
# schedules ten times as long.
_base_ = [
    "../_base_/models/r3gan-augment.py",
    "../_base_/datasets/imagenet-32.py",
    "../_base_/schedules/r3gan.py",
]
_until = 200_000_000
_widths = (1536,) * 4
model = dict(
    generator=dict(channels=_widths),
    discriminator=dict(backbone=dict(channels=_widths)),
)
train_dataloader = dict(batch_size=4096 * 2)  # of all devices together; batch x (both players' own)
default_hooks = dict(
    schedule=dict(
        values={
            "optimizer.generator.lr": dict(until=_until),
            "optimizer.discriminator.lr": dict(until=_until),
            "optimizer.generator.beta2": dict(until=_until),
            "optimizer.discriminator.beta2": dict(until=_until),
            "regularizers.r1.weight": dict(start=0.5, end=0.05, until=_until),
            "regularizers.r2.weight": dict(start=0.5, end=0.05, until=_until),
            "generator_ema.half_life_images": dict(end=50_000_000, until=_until),
            "augment.probability.p": dict(end=0.5, until=_until),
        }
    )
)
