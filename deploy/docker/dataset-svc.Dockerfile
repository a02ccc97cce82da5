# dataset-svc: built from the root of the repository, `docker build -f deploy/docker/dataset-svc.Dockerfile .`
ARG BASE_IMAGE=python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE} AS build
WORKDIR /source
# The checks' kernels are compiled here, and only they come along. The base is pinned, and its Debian with it.
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /opt/kargah
COPY requirements requirements
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
       hatchling -c requirements/run.lock \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
       -r requirements/images/dataset-svc.in -c requirements/run.lock \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/kargah/lib
COPY shared shared
COPY services/dataset-svc services/dataset-svc
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheels \
       ./shared ./services/dataset-svc \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile --no-deps \
       /wheels/*.whl \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
       /opt/kargah/lib/python3*/site-packages/kargah \
       /opt/kargah/lib/python3*/site-packages/dataset_svc

FROM ${BASE_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin kargah \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x site-packages \
       "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/kargah /opt/kargah
ENV PATH=/opt/kargah/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-ISc", "import socket; s = socket.create_connection(('127.0.0.1', 8082), 4); s.sendall(b'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'); raise SystemExit(b' 200 ' not in s.recv(99))"]
CMD ["python", "-m", "dataset_svc.main"]
