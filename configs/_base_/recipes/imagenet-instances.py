# The images of imagenet-instances with the schedule imagenet.
_base_ = ["../datasets/imagenet-instances.py", "../schedules/imagenet.py"]
