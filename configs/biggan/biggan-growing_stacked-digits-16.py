# Collapse by conditioning (Shahbazi et al., 2022): the first third without the classes, which the second
# third lets in, in the generator's embedding and in the projection alike.
_base_ = "./biggan_stacked-digits-16.py"
default_hooks = dict(
    growing=dict(
        type="ScheduleHook",
        values=dict(condition_weight=dict(kind="linear", start=0.0, end=1.0, begin=1000, until=2000)),
    )
)
