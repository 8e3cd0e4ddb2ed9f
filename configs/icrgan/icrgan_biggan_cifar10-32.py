_base_ = ["../biggan/biggan_cifar10-32.py", "../_base_/parts/icr.py"]
model = dict(regularizers={{_base_._consistent}})
