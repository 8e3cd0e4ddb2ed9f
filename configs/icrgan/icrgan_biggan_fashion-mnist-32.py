_base_ = ["../biggan/biggan_fashion-mnist-32.py", "../_base_/parts/icr.py"]
model = dict(regularizers={{_base_._consistent}})
