_base_ = "./biggan_cifar10-32.py"
# The generator learns from its best images only (Sinha et al., 2020).
model = dict(
    losses=dict(
        adversarial=dict(_delete_=True, type="TopKLoss", loss=dict(type="HingeLoss"), epoch_length=156),
    ),
)
