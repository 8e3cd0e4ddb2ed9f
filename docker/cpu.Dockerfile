# mmcgan on processors:
#   docker build -f docker/cpu.Dockerfile -t mmcgan:cpu .
#   docker run --rm mmcgan:cpu doctor
#   docker run --rm -v "$PWD:/work" mmcgan:cpu sample omnigan_biggan_digits-16 --out samples
FROM python:3.12-slim

# OpenMP for PyTorch; what OpenCV opens
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# PyTorch's own index has builds without CUDA, a tenth of the size
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
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
