_base_ = "./biggan_afhq-256.py"
model = dict(augment=dict(type="APA", adapt=dict(target=0.6, kimg=500)))
