# studio: the built files behind nginx. Three makers: the services' routes say what there is to ask, Node makes types and files
# of it, nginx serves the files.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm
ARG NODE_IMAGE=node:24.19.0-bookworm-slim
ARG NGINX_IMAGE=nginxinc/nginx-unprivileged:1.30.4-alpine-slim

FROM ${BASE_IMAGE} AS document
WORKDIR /source
COPY requirements requirements
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile \
       -r requirements/images/studio.in -c requirements/run.lock
COPY shared shared
COPY services services
RUN PYTHONPATH=shared/src:services/gateway/src:services/dataset-svc/src:services/registry/src:services/worker/src \
       PYTHONDONTWRITEBYTECODE=1 python services/studio/openapi.py /openapi.json

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY services/studio/package.json services/studio/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY services/studio ./
COPY --from=document /openapi.json ./
# Compressed here, once and well, and not at each request; fonts are compressed already.
RUN npm run --silent types \
    && npx vite build --outDir /srv/studio --emptyOutDir \
    && find /srv/studio -type f ! -name '*.woff2' -exec gzip --best --keep {} +

FROM ${NGINX_IMAGE}
COPY deploy/studio/nginx.conf /etc/nginx/nginx.conf
COPY --from=build /srv/studio /srv/studio
USER 10001:10001
WORKDIR /tmp
EXPOSE 8084
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8084/healthz"]
# Not the base's script, which would write into /etc/nginx.
ENTRYPOINT []
CMD ["nginx", "-e", "stderr"]
