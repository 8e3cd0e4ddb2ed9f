# The images of stacked-digits-16 with the schedule laptop-stacked-digits.
_base_ = ["../datasets/stacked-digits-16.py", "../schedules/laptop-stacked-digits.py"]
