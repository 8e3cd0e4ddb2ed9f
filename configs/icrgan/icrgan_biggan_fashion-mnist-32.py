_base_ = "../biggan/biggan_fashion-mnist-32.py"
model = dict(
    regularizers=dict(
        bcr=dict(type="ImageConsistency", real=10.0, fake=10.0),
        zcr=dict(type="LatentConsistency", weight=20.0, noise=0.05),
        diversity=dict(type="LatentDiversity", weight=0.5, noise=0.05),
    ),
)
