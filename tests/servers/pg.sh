#!/bin/bash
# pg.sh start DIR [PORT] | stop DIR
# A private PostgreSQL on loopback with its data in DIR, which is made.  Without a PORT it takes a free
# one.  DIR/env exports how to reach it.  Run by root it becomes the user postgres, as initdb refuses
# root: DIR must then be where that user may go.
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

start() {
    mkdir -p "$dir/socket"
    chmod 755 "$dir"
    [ "$(id -u)" != 0 ] || chown -R postgres: "$dir"
    as_server "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256 >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; return 1; }
    as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories=$dir/socket" start >/dev/null ||
        { tail "$dir/log" >&2; return 1; }
    "$bin/psql" -qXh "$dir/socket" -p "$port" -U postgres \
        -c "CREATE ROLE frostline LOGIN CREATEDB PASSWORD '$password'" \
        -c "CREATE DATABASE frostline OWNER frostline"
    cat >"$dir/env" <<ENV
export FROSTLINE_TEST_PG=1
export DB_HOST=127.0.0.1 DB_PORT=$port DB_NAME=frostline DB_USER=frostline DB_PASSWORD=$password
ENV
}

[[ ${1-}/$# == start/[23] || ${1-}/$# == stop/2 ]] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$2"
dir=$(realpath "$2")
port=${3:-$("$(dirname "$0")/free_port")}
case $1 in
start) start ;;
stop) [ ! -f "$dir/data/postmaster.pid" ] || as_server "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null ;;
esac
