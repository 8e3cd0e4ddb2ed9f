_base_ = "./contragan_biggan_cifar10-32.py"
model = dict(
    regularizers=dict(cr=dict(type="ImageConsistency", real=10.0, outputs=("adv.logit", "cls.embed"))),
)
