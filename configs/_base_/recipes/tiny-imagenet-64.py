# The images of tiny-imagenet-64 with the schedule tiny-imagenet-studiogan.
_base_ = ["../datasets/tiny-imagenet-64.py", "../schedules/tiny-imagenet-studiogan.py"]
