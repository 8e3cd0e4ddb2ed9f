# No textured 3, plain 5 or textured 8 is among the training images: what the generator makes of these pairs
# comes from the digit and the domain alone. The generator is asked for them in its updates; the discriminator
# never sees fakes of them, or it would learn that a textured 3 is a fake because no real image shows one.
_base_ = "./omnigan-multi-label_biggan_two-domain-digits-16.py"
model = dict(
    discriminator_condition_sampler=dict(type="EmpiricalAttributes"),
    augment=dict(type="DiffAugment", policy=("translation", "cutout"), translation=0.125, cutout=0.25),
)
train_cfg = dict(max_iters=2400)
default_hooks = dict(generator_ema=dict(decay=0.995))
train_dataloader = dict(
    dataset=dict(
        leave_out=[
            dict(digit="3", domain="textured"),
            dict(digit="5", domain="plain"),
            dict(digit="8", domain="textured"),
        ]
    )
)
