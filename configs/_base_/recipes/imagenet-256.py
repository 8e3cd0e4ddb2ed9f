# The images of imagenet-256 with the schedule imagenet.
_base_ = ["../datasets/imagenet-256.py", "../schedules/imagenet.py"]
