_base_ = ["../_base_/models/dcgan.py", "../_base_/recipes/digits-16-unlabelled.py"]
model = {{_base_._small_dcgan}}
