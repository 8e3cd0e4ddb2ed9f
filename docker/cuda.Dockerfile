# mmcgan on NVIDIA GPUs:
#   docker build -f docker/cuda.Dockerfile -t mmcgan:cuda .
#   docker run --rm --gpus all --ipc=host mmcgan:cuda doctor
#   docker run --rm --gpus all --ipc=host --user "$(id -u):$(id -g)" -e HOME=/tmp -v "$PWD:/work" mmcgan:cuda \
#       train CONFIG
# --user: what is written belongs to you; HOME: caches need a place that this user may write to.
# --ipc=host: loader workers hand images over in shared memory, of which a container has 64 MiB otherwise.
# Not built where it was written (no docker, no GPU there).
FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime

# versions are not fixed: security fixes are wanted
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

COPY . /opt/mmcgan
ARG EXTRAS=metrics,weights,tensorboard,demo
# the image's PyTorch is kept: its version is told to pip as a bound, without +cu124, which bounds of others might exclude
RUN python3 -c "import torch, torchvision; [print(m.__name__, m.__version__.split('+')[0], sep='==') for m in (torch, torchvision)]" \
        > /tmp/constraints.txt \
    && python3 -m pip install --no-cache-dir -c /tmp/constraints.txt "/opt/mmcgan[${EXTRAS}]"

RUN useradd --create-home user && mkdir -p /work && chown user /work
USER user
WORKDIR /work
ENTRYPOINT ["mmcgan"]
CMD ["--help"]
