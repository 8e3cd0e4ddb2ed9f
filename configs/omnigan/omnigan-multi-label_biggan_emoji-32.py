# Category and vendor of an emoji, asked for apart: nine and two attributes, as often as they come; augmented,
# for there are 3,500 pictures.
_base_ = [
    "../_base_/models/omnigan-multi-label.py",
    "../_base_/datasets/emoji-32.py",
    "../_base_/schedules/laptop-fashion-mnist.py",
]
model = dict(
    generator=dict(channels=(96, 96, 64, 32), latent_dim=80, shared_dim=64),
    discriminator=dict(backbone=dict(channels=(32, 64, 96, 96))),
    condition_sampler=dict(type="EmpiricalAttributes"),
    augment=dict(type="DiffAugment"),
)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4, weight_decay=1e-3)),
    discriminator=dict(optimizer=dict(lr=5e-4, weight_decay=1e-4)),
)
train_cfg = dict(max_iters=5000)
default_hooks = dict(
    generator_ema=dict(decay=0.998, start=500), checkpoint=dict(interval=500, save_best=None)
)
