# Hours instead of minutes: shifted and cut images, a slower average, a rate that falls at the end.
_base_ = ["./omni-inr_biggan_fashion-mnist-32.py", "../_base_/parts/hours.py"]
model = {{_base_._shifted}}
_decay = dict(type="LinearLR", start_factor=1.0, end_factor=0.1, begin=5000, end=9000, by_epoch=False)
param_scheduler = dict(generator=_decay, discriminator=_decay)
train_cfg = dict(max_iters=9000, val_interval=1000)
val_evaluator = {{_base_._figures}}
test_evaluator = {{_base_._figures}}
default_hooks = {{_base_._hooks}}
