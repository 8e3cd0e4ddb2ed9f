# The images of cifar10-32 with the schedule cifar-studiogan.
_base_ = ["../datasets/cifar10-32.py", "../schedules/cifar-studiogan.py"]
