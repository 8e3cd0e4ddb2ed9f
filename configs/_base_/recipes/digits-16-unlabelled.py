# The images of digits-16-unlabelled with the schedule laptop-digits.
_base_ = ["../datasets/digits-16-unlabelled.py", "../schedules/laptop-digits.py"]
