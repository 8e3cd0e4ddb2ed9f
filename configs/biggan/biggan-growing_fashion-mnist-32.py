# Conditioning that grows (Shahbazi et al., 2022) between iterations 500 and 1000.
_base_ = "./biggan_fashion-mnist-32.py"
default_hooks = dict(
    growing=dict(
        type="ScheduleHook",
        values=dict(condition_weight=dict(kind="linear", start=0.0, end=1.0, begin=500, until=1000)),
    )
)
