_base_ = "./contragan_biggan_cifar10-32.py"
model = dict(
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    augment=dict(type="ADA", adapt=dict(target=0.6, kimg=500)),
)
train_cfg = dict(max_iters=200_000)
