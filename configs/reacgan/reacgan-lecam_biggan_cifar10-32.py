_base_ = "./reacgan_biggan_cifar10-32.py"
model = dict(losses=dict(lecam=dict(type="LeCamLoss", start=1000, weights=0.3)))
train_cfg = dict(max_iters=200_000)
