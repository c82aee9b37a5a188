#!/bin/bash
# azurite.sh start DIR [PORT] | stop DIR
# Azurite (blobs only, in memory) on loopback, with the two accounts srcacct and coldacct, from
# $TOOLS/node_modules (default: build/tools, where setup.sh puts it).  Without a PORT it takes a free
# one.  DIR/env exports how to reach it; DIR/access.log has a line for every request it answered.
set -euo pipefail
tools=${TOOLS:-$(dirname "$0")/../../build/tools}

key() { printf '%s' "$1-account-key-$1-account-key-$1-account-key-$1-account-key" | base64 -w0; }

# The account is the first part of the path, as the SDKs know it from emulators.
connection() {
    echo "DefaultEndpointsProtocol=http;AccountName=$1;AccountKey=$2;BlobEndpoint=http://127.0.0.1:$port/$1;"
}

answers() { (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

start() {
    local node pid source_key cold_key
    node=$(echo "$tools"/node_modules/node-linux-*/bin/node)
    source_key=$(key source) cold_key=$(key cold)
    # Without --disableTelemetry it would try to send usage data out.
    AZURITE_ACCOUNTS="srcacct:$source_key;coldacct:$cold_key" nohup \
        "$node" "$tools/node_modules/azurite/dist/src/blob/main.js" \
        --blobHost 127.0.0.1 --blobPort "$port" --inMemoryPersistence --extentMemoryLimit 4096 \
        --disableTelemetry --skipApiVersionCheck --disableProductStyleUrl \
        </dev/null >"$dir/access.log" 2>&1 &
    pid=$!
    echo "$pid" >"$dir/pid"
    for _ in {1..300}; do
        ! answers || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    answers || { cat "$dir/access.log" >&2; return 1; }
    cat >"$dir/env" <<ENV
export FROSTLINE_TEST_AZURITE=1 AZURITE_ACCESS_LOG='$dir/access.log'
export SOURCE_AZURE_CONNECTION_STRING='$(connection srcacct "$source_key")'
export COLD_STORAGE_CONNECTION_STRING='$(connection coldacct "$cold_key")'
ENV
}

stop() {
    local pid
    [ -f "$dir/pid" ] || return 0
    pid=$(cat "$dir/pid")
    rm "$dir/pid"
    kill "$pid" 2>/dev/null || return 0
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid"
}

[[ ${1-}/$# == start/[23] || ${1-}/$# == stop/2 ]] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$2"
dir=$(realpath "$2")
port=${3:-$("$(dirname "$0")/free_port")}
"$1"
