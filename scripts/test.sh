#!/usr/bin/env bash
# Every check and every test, from the quick ones to the slow ones. Stops at the first step that
# fails, and always ends with the time that each step took and a line of counts.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=$PWD/target

output=target/test-output.txt # of cargo test: the counts are read from it
times=()

step() {
    local name=$1 started=$SECONDS status=0
    shift
    printf '\n==== %s\n' "$name"
    "$@" || status=$?
    times+=("$(printf '%4d s  %s' $((SECONDS - started)) "$name")")
    if [ $status -ne 0 ]; then
        times[-1]+="  FAILED"
        exit $status
    fi
}

rust_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace; }

# The tests of one crate do not wait for the failures of another to be mended.
rust_tests() { cargo test --workspace --no-fail-fast 2>&1 | tee "$output"; }

# Sums one column of cargo's lines 'test result: ok. 5 passed; 0 failed; 1 ignored; ...'.
count() {
    sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p" "$output" | awk '{ sum += $1 } END { print sum + 0 }'
}

# A test that cannot run here (no ../shared) returns early and says so: cargo counts it as passed.
count_skipped() { grep -c '^SKIPPED: ' "$output" || true; }

finish() {
    local status=$? passed failed skipped early
    trap - EXIT
    stop_test_cluster
    passed=$(count passed) failed=$(count failed) skipped=$(count ignored) early=$(count_skipped)
    passed=$((passed - early)) skipped=$((skipped + early))
    # A step that counts nothing of its own (lints, Schemathesis) counts as one failure.
    if [ $status -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    printf '\nWhat took the time:\n'
    [ ${#times[@]} -eq 0 ] || printf '%s\n' "${times[@]}"
    printf '%4d s  in all\n\n' $SECONDS
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $status
}

# The tests share one PostgreSQL cluster, which outlives the test programs that use it.
stop_test_cluster() {
    if [ -x target/debug/private-postgres ]; then
        target/debug/private-postgres remove-test-cluster || true
    fi
}

mkdir -p target
: >"$output"
trap finish EXIT
trap 'exit 130' INT TERM

step "set-up" scripts/setup.sh test
step "formatting" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets -- -D warnings
step "documentation" rust_docs
step "build" cargo build -p tandem -p private-postgres
step "tests" rust_tests
step "demo data" python3 tandem/demo/generate.py --check
step "Schemathesis" tests/schemathesis/run.sh
