#!/bin/bash
# pg.sh start DIR [PORT] | clone DIR FROM [PORT] | promote DIR | stop DIR
# A private PostgreSQL on loopback with its data in DIR, which is made, or started again if it is there.
# `clone` makes it a standby that streams from the one in the folder FROM, which `promote` ends.  Without
# a PORT it takes a free one.  DIR/env exports how to reach it.  Run by root it becomes the user
# postgres, as initdb refuses root: DIR must then be where that user may go.
set -euo pipefail
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
password=the-password-of-the-catalog # like no other word, so that tests can look for it

as_server() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$dir" "$@"
    else
        "$@"
    fi
}

make_folder() {
    mkdir -p "$dir/socket"
    chmod 755 "$dir"
    [ "$(id -u)" != 0 ] || chown -R postgres: "$dir"
}

serve() {
    as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories=$dir/socket" start >/dev/null ||
        { tail "$dir/log" >&2; return 1; }
    cat >"$dir/env" <<ENV
export FROSTLINE_TEST_PG=1
export DB_HOST=127.0.0.1 DB_PORT=$port DB_NAME=frostline DB_USER=frostline DB_PASSWORD=$password
ENV
}

start() {
    [ ! -d "$dir/data" ] || { serve; return; }
    make_folder
    as_server "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync \
        --auth-local=trust --auth-host=scram-sha-256 >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; return 1; }
    serve
    "$bin/psql" -qXh "$dir/socket" -p "$port" -U postgres \
        -c "CREATE ROLE frostline LOGIN CREATEDB CREATEROLE PASSWORD '$password'" \
        -c "CREATE DATABASE frostline OWNER frostline"
}

clone() {
    make_folder
    as_server "$bin/pg_basebackup" -D "$dir/data" -h "$from/socket" -p "$from_port" -U postgres \
        --checkpoint=fast --write-recovery-conf --no-sync
    serve
}

[[ ${1-}/$# == @(start/[23]|clone/[34]|promote/2|stop/2) ]] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
verb=$1
mkdir -p "$2"
dir=$(realpath "$2")
shift 2
if [ "$verb" = clone ]; then
    from=$(realpath "$1")
    from_port=$(sed -n 's/.*DB_PORT=\([0-9]*\).*/\1/p' "$from/env")
    shift
fi
port=${1:-$("$(dirname "$0")/free_port")}
case $verb in
start) start ;;
clone) clone ;;
promote) as_server "$bin/pg_ctl" -D "$dir/data" -w promote >/dev/null ;;
stop) [ ! -f "$dir/data/postmaster.pid" ] || as_server "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null ;;
esac
