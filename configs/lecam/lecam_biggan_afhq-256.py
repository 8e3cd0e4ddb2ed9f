_base_ = "../biggan/biggan_afhq-256.py"
model = dict(losses=dict(lecam=dict(type="LeCamLoss", start=1000, weights=0.3)))
