_base_ = ["../_base_/models/biggan.py", "../_base_/recipes/cub200-128.py"]
model = {{_base_._setting_k}}
