#!/bin/bash
# run.sh [--prefix DIR] [--preset NAME] [--only REGEX]
# Installs what is missing, builds, starts a PostgreSQL and an Azurite of its own, runs the tests (those
# whose names match REGEX) and closes with the line `N passed, N failed`.  What it makes is below DIR
# (default: build).  With FROSTLINE_TEST_REQUIRE_SERVERS=1 a skipped test is a failed one.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
prefix=$root/build preset=dev only=
while [ $# -gt 0 ]; do
    case $1/$# in
    --prefix/1 | --preset/1 | --only/1) echo "run.sh: $1 needs a value" >&2; exit 2 ;;
    --prefix/*) mkdir -p "$2"; prefix=$(realpath "$2") ;;
    --preset/*) preset=$2 ;;
    --only/*) only=$2 ;;
    *) sed -n '2s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
build=$prefix/$preset log=$prefix/$preset.log
export TOOLS=$prefix/tools

# Nothing was tested: the closing line says so too.
give_up() {
    [ ! -f "$log" ] || tail -n 100 "$log"
    echo "run.sh: $1"
    echo "0 passed, 1 failed"
    exit 1
}

"$root/setup.sh" tests "$prefix" || give_up "setting up failed"
echo "building $preset" >&2
(cd "$root" && cmake --preset "$preset" -B "$build" && cmake --build "$build") >"$log" 2>&1 ||
    give_up "the build failed"

# Where the user postgres may go, which the home of root is not.
servers=$(mktemp -d "${TMPDIR:-/tmp}/frostline-tests.XXXXXX")
chmod 755 "$servers"
stop() {
    for server in pg azurite; do
        [ ! -d "$servers/$server" ] || "$root/tests/servers/$server.sh" stop "$servers/$server" || true
    done
    rm -rf "$servers"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
for server in pg azurite; do
    "$root/tests/servers/$server.sh" start "$servers/$server" >"$log" 2>&1 || give_up "$server did not start"
    # shellcheck source=/dev/null
    . "$servers/$server/env"
done

echo "testing $preset" >&2
results=$build/results.xml
rm -f "$results"
ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure --output-junit "$results" \
    ${only:+--tests-regex "$only"} >"$log" 2>&1 || true

# <testsuite name=".." tests="9" failures="0" disabled="0" skipped="1" ..>
count() { sed -n "1,/>/s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$results" | head -n 1; }
[ -f "$results" ] || give_up "no test ran"
all=$(count tests) failed=$(count failures) skipped=$(count skipped)
[ "$all" -gt 0 ] || give_up "no test matches"
passed=$((all - failed - skipped))
if [ "$failed" -gt 0 ] || [ "$skipped" -gt 0 ]; then
    grep -vE '^ *Start +[0-9]|^[0-9 ]+/[0-9]+ Test.* Passed ' "$log" || true
fi
[ "${FROSTLINE_TEST_REQUIRE_SERVERS:-0}" != 1 ] || failed=$((failed + skipped))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
