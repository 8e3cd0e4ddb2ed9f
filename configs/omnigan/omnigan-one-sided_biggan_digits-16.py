_base_ = "./omnigan_biggan_digits-16.py"
model = dict(losses=dict(omni=dict(one_sided=True)))
