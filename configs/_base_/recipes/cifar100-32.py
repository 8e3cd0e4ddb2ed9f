# The images of cifar100-32 with the schedule cifar-studiogan.
_base_ = ["../datasets/cifar100-32.py", "../schedules/cifar-studiogan.py"]
