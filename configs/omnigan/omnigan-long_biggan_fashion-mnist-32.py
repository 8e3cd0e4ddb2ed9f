# Hours instead of minutes: shifted and cut images, a slower average, a rate that falls at the end.
_base_ = ["./omnigan_biggan_fashion-mnist-32.py", "../_base_/parts/hours.py"]
model = {{_base_._shifted}}
param_scheduler = {{_base_._rates}}
train_cfg = {{_base_._length}}
val_evaluator = {{_base_._figures}}
test_evaluator = {{_base_._figures}}
default_hooks = {{_base_._hooks}}
