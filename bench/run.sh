#!/usr/bin/env bash
# Measures the speed of Tandem: starts a stack of its own with an empty, durable database, runs
# tandem-bench on it, and removes it again. See bench/README.md.
#
#   BENCH_SECONDS           length of each run of wrk and pgbench (default 10)
#   BENCH_ROUNDS            how often they take turns (default 3)
#   BENCH_LATENCY_SECONDS   how long orders come at 50 a second (default 30)
#   BENCH_FLOOD_ORDERS      orders of the flood (default 6000)
#   BENCH_FLOOD_CLIENTS     clients that submit them at once (default 16)
#   BENCH_IMPORT_ROWS       products of the file that is imported (default 100000)
#   BENCH_ONLY              some of latency,flood,ratios,imports,sales,analytics,processes
#   BENCH_STRICT=1          a missed target is a failure (exit code 3)
#   PROFILE=debug           the unoptimised programs: to try this script, not to measure
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
export CARGO_TARGET_DIR=$root/target
profile=${PROFILE:-release}
programs=$root/target/$profile
reference=../shared/bench

case $profile in
    release) build=(cargo build --release) ;;
    debug) build=(cargo build) ;;
    *) echo "PROFILE is release or debug, not $profile" >&2 && exit 2 ;;
esac

mkdir -p target/bench
unset ERP_DATABASE_URL CRM_DATABASE_URL SYNC_DATABASE_URL # never a developer's own databases
TANDEM_DIR=$(mktemp -d "$root/target/bench/XXXXXX")
chmod 755 "$TANDEM_DIR" # started by root, PostgreSQL runs as another user and has to reach it
stack=$TANDEM_DIR/stack.json
log=$TANDEM_DIR/tandem.log
tandem_pid=

stop() {
    echo "$1" >&2
    if [ -e "$log" ]; then
        { echo "The end of Tandem's log:" && tail -n 40 "$log"; } >&2
    fi
    exit 1
}

is_running() { kill -0 "$1" 2>/dev/null; }

clean_up() {
    if [ -n "$tandem_pid" ]; then
        kill -TERM "$tandem_pid" 2>/dev/null || true
        wait "$tandem_pid" || true
    fi
    # A cluster that had to live elsewhere would otherwise stay there.
    if [ -x "$programs/private-postgres" ]; then
        "$programs/private-postgres" remove "$TANDEM_DIR/postgres" || true
    fi
    rm -rf "$TANDEM_DIR"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_tandem() {
    export TANDEM_DIR ERP_BIND=127.0.0.1:0 CRM_BIND=127.0.0.1:0 SYNC_BIND=127.0.0.1:0
    # One key makes all requests here.
    export ERP_REQUESTS_PER_SECOND=1000000 CRM_REQUESTS_PER_SECOND=1000000
    "$programs/tandem" up --no-demo >"$log" 2>&1 &
    tandem_pid=$!
    for _ in {1..600}; do
        [ ! -e "$stack" ] || return 0
        is_running "$tandem_pid" || stop "Tandem did not start."
        sleep 0.1
    done
    stop "Tandem was not ready within 60 s."
}

echo "Building ($profile)"
"${build[@]}" -p tandem -p bench -p private-postgres
start_tandem
status=0
"$programs/tandem-bench" --tandem "$programs/tandem" --wrk-scripts "$root/bench/wrk" --sql "$root/bench/sql" --reference "$reference" ||
    status=$?
case $status in
    0) ;;
    3) echo "A target was missed." >&2 && exit 3 ;;
    *) stop "The benchmark failed." ;;
esac
