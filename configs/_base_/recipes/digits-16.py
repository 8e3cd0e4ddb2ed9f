# The images of digits-16 with the schedule laptop-digits.
_base_ = ["../datasets/digits-16.py", "../schedules/laptop-digits.py"]
