# The images of imagenet-128 with the schedule imagenet-studiogan.
_base_ = ["../datasets/imagenet-128.py", "../schedules/imagenet-studiogan.py"]
