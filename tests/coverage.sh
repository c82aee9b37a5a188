#!/bin/bash
# coverage.sh [REGEX]
# Runs the tests (those whose names match REGEX) as run.sh does, in the preset coverage, and prints which
# lines and branches of executor/ and state/ they reach.  DIR/coverage holds the counters and, as
# coverage.html, each line.  Needs Debian's gcovr.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
build=$root/build/coverage
command -v gcovr >/dev/null || { echo "coverage.sh: gcovr is missing: apt-get install gcovr" >&2; exit 1; }

find "$build" -name '*.gcda' -delete 2>/dev/null || true
"$root/tests/run.sh" --preset coverage ${1:+--only "$1"} || failed=1

# A branch that is never taken because the compiler, not the code, put it there is no branch to test.
report() {
    gcovr --root "$root" --object-directory "$build" --filter "$root/executor/" --filter "$root/state/" \
        --exclude-directories '.*/CMakeFiles/[0-9].*' --exclude-unreachable-branches --exclude-throw-branches "$@"
}
report --html-details "$build/coverage.html"
echo "-- lines"
report
echo "-- branches"
report --branches
exit "${failed:-0}"
