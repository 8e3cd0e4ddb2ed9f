# The images of fashion-mnist-32 with the schedule laptop-fashion-mnist.
_base_ = ["../datasets/fashion-mnist-32.py", "../schedules/laptop-fashion-mnist.py"]
