#!/bin/bash
# quickstart.sh [--prefix DIR]: builds frostline and shows what it does, in a sandbox of its own.
# What it makes is below DIR (default: build).
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
prefix=$root/build
case ${1-}/$# in
/0) ;;
--prefix/2) mkdir -p "$2"; prefix=$(realpath "$2") ;;
*) sed -n '2s/^# //p' "$0" >&2; exit 2 ;;
esac

"$root/setup.sh" build
echo "building $prefix/release/frostline" >&2
log=$prefix/release.log
mkdir -p "$prefix"
(cd "$root" && cmake --preset release -B "$prefix/release" &&
    cmake --build "$prefix/release" --target frostline) >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
exec "$prefix/release/frostline" demo
