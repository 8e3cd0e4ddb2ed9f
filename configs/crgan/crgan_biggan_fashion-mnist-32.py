_base_ = "../biggan/biggan_fashion-mnist-32.py"
model = dict(regularizers=dict(cr=dict(type="ImageConsistency", real=10.0)))
