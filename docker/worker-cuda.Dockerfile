# A worker for an NVIDIA GPU: nvcc, Nsight Compute and compute-sanitizer from NVIDIA's image. From the repository's root:
#   docker build -f docker/worker-cuda.Dockerfile -t atunner-worker-cuda:0.1.0 .
FROM nvidia/cuda:12.6.3-devel-ubuntu24.04 AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY atunner ./atunner
RUN python3 -m venv /opt/atunner && /opt/atunner/bin/pip install --no-cache-dir '.[cuda,postgres]'

FROM nvidia/cuda:12.6.3-devel-ubuntu24.04 AS worker
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 gcc g++ libc6-dev bubblewrap tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 atunner
COPY --from=build /opt/atunner /opt/atunner
USER 10001
WORKDIR /home/atunner
ENV PATH=/opt/atunner/bin:$PATH \
    ATUNNER_DATA=/home/atunner/data ATUNNER_CACHE=/home/atunner/cache PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
VOLUME ["/home/atunner/data", "/home/atunner/cache"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "-g", "--", "atunner"]
CMD ["worker"]
