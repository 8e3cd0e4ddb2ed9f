_base_ = "../biggan/biggan_fashion-mnist-32.py"
model = dict(losses=dict(lecam=dict(type="LeCamLoss", start=200, weights=0.3)))
