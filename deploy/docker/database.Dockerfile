# database: the one-shot `kargah database`, with the migrations of every owner; and `kargah backup`, `kargah restore`.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm

FROM ${BASE_IMAGE} AS build
WORKDIR /source
RUN python -m venv --without-pip /opt/kargah
COPY requirements requirements
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
       hatchling -c requirements/run.lock \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
       -r requirements/images/database.in -c requirements/run.lock \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/kargah/lib
COPY shared shared
COPY services/gateway services/gateway
COPY services/dataset-svc services/dataset-svc
COPY services/registry services/registry
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheels \
       ./shared ./services/gateway ./services/dataset-svc ./services/registry \
    && pip --python /opt/kargah/bin/python install --no-cache-dir --disable-pip-version-check --no-compile --no-deps \
       /wheels/*.whl \
    && /opt/kargah/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
       /opt/kargah/lib/python3*/site-packages/kargah \
       /opt/kargah/lib/python3*/site-packages/gateway \
       /opt/kargah/lib/python3*/site-packages/dataset_svc \
       /opt/kargah/lib/python3*/site-packages/registry

FROM ${BASE_IMAGE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin kargah \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x site-packages \
       "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /opt/kargah /opt/kargah
ENV PATH=/opt/kargah/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
WORKDIR /tmp
HEALTHCHECK NONE
CMD ["kargah", "database"]
