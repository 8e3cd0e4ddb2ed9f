_base_ = ["../_base_/models/biggan.py", "../_base_/recipes/tiny-imagenet-64.py"]
model = {{_base_._setting_i}}
