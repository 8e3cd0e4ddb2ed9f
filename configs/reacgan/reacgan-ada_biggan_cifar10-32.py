_base_ = "./reacgan_biggan_cifar10-32.py"
model = dict(
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    data_preprocessor=dict(flip_probability=0.0),
    augment=dict(type="ADA", adapt=dict(target=0.7, kimg=500)),
)
train_cfg = dict(max_iters=400_000)
