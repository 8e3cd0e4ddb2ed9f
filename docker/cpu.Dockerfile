# mmcgan on processors:
#   docker build -f docker/cpu.Dockerfile -t mmcgan:cpu .
#   docker run --rm mmcgan:cpu doctor
#   docker run --rm --user "$(id -u):$(id -g)" -e HOME=/tmp -v "$PWD:/work" mmcgan:cpu \
#       sample omnigan_biggan_digits-16 --out samples
# --user: what is written belongs to you; HOME: caches need a place that this user may write to.
# Not built where it was written (no docker there): names of packages were looked up, for Debian 12.
FROM python:3.12-slim-bookworm

# what OpenCV opens; the wheels bring their own OpenMP
# versions are not fixed: security fixes are wanted
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# PyTorch's own index has builds without CUDA, which are far smaller
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# setup.py says which versions will do
# hadolint ignore=DL3013
RUN python3 -m pip install --no-cache-dir torch torchvision --index-url "${TORCH_INDEX}"

COPY . /opt/mmcgan
ARG EXTRAS=metrics,weights,tensorboard,demo
RUN python3 -m pip install --no-cache-dir "/opt/mmcgan[${EXTRAS}]"

# nobody needs to be root to train
RUN useradd --create-home user && mkdir /work && chown user /work
USER user
WORKDIR /work
ENTRYPOINT ["mmcgan"]
CMD ["--help"]
