# The images of imagenet-128 with the schedule imagenet.
_base_ = ["../datasets/imagenet-128.py", "../schedules/imagenet.py"]
