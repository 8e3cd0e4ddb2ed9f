# What every run has in common: the runner, logging, checkpoints, the averaged generator.
default_scope = "mmcgan"
runner_type = "GANRunner"
randomness = dict(seed=0)
# For speed instead of bit-exact resuming on CUDA: env_cfg=dict(cudnn_benchmark=True).
env_cfg = dict(cudnn_benchmark=False)
log_level = "INFO"
load_from = None
resume = False

default_hooks = dict(
    timer=dict(type="ThroughputHook"),
    logger=dict(type="LoggerHook", interval=100, log_metric_by_epoch=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    finite_guard=dict(type="FiniteGuardHook"),
    generator_ema=dict(type="GeneratorEMAHook", decay=0.999, start=1000),
    sample_grid=dict(type="SampleGridHook", interval=1000),
    checkpoint=dict(type="GANCheckpointHook", interval=1000, max_keep=2),
    report=dict(type="ReportHook"),
)
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
