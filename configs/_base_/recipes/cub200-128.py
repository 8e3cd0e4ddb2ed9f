# The images of cub200-128 with the schedule cub200-studiogan.
_base_ = ["../datasets/cub200-128.py", "../schedules/cub200-studiogan.py"]
