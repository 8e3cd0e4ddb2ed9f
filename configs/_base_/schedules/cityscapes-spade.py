# SPADE's: two learning rates, 200 epochs of 185 batches of 16, the second half with linear decay.
_base_ = "../default_runtime.py"
_epoch = 2975 // 16
optim_wrapper = dict(
    constructor="GANOptimWrapperConstructor",
    generator=dict(optimizer=dict(type="Adam", lr=1e-4, betas=(0.0, 0.9))),
    discriminator=dict(optimizer=dict(type="Adam", lr=4e-4, betas=(0.0, 0.9))),
)
_decay = [
    dict(
        type="LinearLR",
        start_factor=1.0,
        end_factor=0.0,
        begin=100 * _epoch,
        end=200 * _epoch,
        by_epoch=False,
    )
]
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_cfg = dict(type="GANTrainLoop", max_iters=200 * _epoch)
default_hooks = dict(
    generator_ema=dict(decay=0.999, start=1000),
    sample_grid=dict(interval=5 * _epoch, rows=2, columns=4),
    checkpoint=dict(interval=5 * _epoch),
)
