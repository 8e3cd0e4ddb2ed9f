_base_ = "./reacgan_biggan_fashion-mnist-32.py"
model = dict(
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    augment=dict(type="ADA", adapt=dict(target=0.7, kimg=100)),
)
