#!/usr/bin/env bash
# Starts a throw-away Tandem without data and lets Schemathesis try each service by the OpenAPI
# document that the service itself gives out: no 5xx, no answer that the document does not
# describe, nothing accepted that it forbids. First as an administrator, then as the integration,
# which alone may send replicas. Then Tandem has to stop as it does on Ctrl-C.
#
#   SCHEMATHESIS_EXAMPLES   generated requests for an operation (default 8), beside the fixed
#                           ones at the limits of each field
#   SCHEMATHESIS_SECONDS    the longest that one service may take (default 900)
set -euo pipefail
cd "$(dirname "$0")/../.."

examples=${SCHEMATHESIS_EXAMPLES:-8}
seconds=${SCHEMATHESIS_SECONDS:-900}
root=$PWD
tandem=$root/target/debug/tandem
environment=$root/target/schemathesis-venv/bin

mkdir -p target/schemathesis
unset ERP_DATABASE_URL CRM_DATABASE_URL SYNC_DATABASE_URL # never a developer's own databases
TANDEM_DIR=$(mktemp -d "$root/target/schemathesis/XXXXXX")
chmod 755 "$TANDEM_DIR" # started by root, PostgreSQL runs as another user and has to reach it
stack=$TANDEM_DIR/stack.json
log=$TANDEM_DIR/tandem.log
tandem_pid=

stop() {
    echo "$1" >&2
    [ ! -e "$log" ] || { echo "The end of Tandem's log:" && tail -n 40 "$log"; } >&2
    exit 1
}

is_running() { kill -0 "$1" 2>/dev/null; }

clean_up() {
    if [ -n "$tandem_pid" ]; then
        kill -TERM "$tandem_pid" 2>/dev/null || true
        wait "$tandem_pid" || true
    fi
    # A cluster that had to live elsewhere would otherwise stay there.
    "$root/target/debug/private-postgres" remove "$TANDEM_DIR/postgres" || true
    rm -rf "$TANDEM_DIR"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_tandem() {
    local ports
    # Three at once, so that they differ.
    ports=$("$environment/python" -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))')
    read -r erp crm sync <<<"$ports"
    export TANDEM_DIR ERP_BIND=127.0.0.1:$erp CRM_BIND=127.0.0.1:$crm SYNC_BIND=127.0.0.1:$sync
    # A script's background programs ignore Ctrl-C unless told otherwise.
    env --default-signal=INT "$tandem" up --no-demo >"$log" 2>&1 &
    tandem_pid=$!
    for _ in {1..600}; do
        [ ! -e "$stack" ] || return 0
        is_running "$tandem_pid" || stop "Tandem did not start."
        sleep 0.1
    done
    stop "Tandem was not ready within 60 s."
}

stop_tandem() {
    local status=0
    kill -INT "$tandem_pid"
    for _ in {1..100}; do
        is_running "$tandem_pid" || break
        sleep 0.1
    done
    if is_running "$tandem_pid"; then
        kill -KILL "$tandem_pid"
        stop "Tandem did not stop within 10 s."
    fi
    wait "$tandem_pid" || status=$?
    tandem_pid=
    [ $status -eq 0 ] || stop "Tandem stopped with exit code $status."
}

# One line for each service that has a key of that name: its name, URL, key and process.
services() {
    "$environment/python" -c '
import json, sys
stack, keys, role = json.load(open(sys.argv[1])), json.load(open(sys.argv[2])), sys.argv[3]
for name, service in stack.items():
    if role in keys[name]:
        print(name, service["url"], keys[name][role], service["pid"])' "$stack" "$TANDEM_DIR/keys.json" "$1"
}

try_service() {
    local name=$1 url=$2 key=$3 pid=$4 role=$5 status=0
    shift 5
    printf '\n---- %s, %s\n' "$name" "$role"
    # In a folder of its own, for what Schemathesis and Hypothesis leave behind.
    mkdir "$TANDEM_DIR/$name-$role"
    (
        cd "$TANDEM_DIR/$name-$role"
        TANDEM_API_KEY=$key env --default-signal=INT \
            timeout --foreground --signal=INT --kill-after=10 "$seconds" \
            "$environment/schemathesis" --config-file "$root/tests/schemathesis/schemathesis.toml" \
            run "$url/openapi.json" --max-examples "$examples" "$@" </dev/null
    ) || status=$?
    [ $status -ne 124 ] || echo "$name: Schemathesis took more than $seconds s" >&2
    # Tandem restarts a service that dies, so that the rest would look well.
    is_running "$pid" || { echo "$name: the service died" >&2 && status=1; }
    return $status
}

# Tries all services that know the role at once; shows what came out one after the other.
try_all() {
    local role=$1 name url key pid
    local -A trials=()
    shift
    while read -r name url key pid; do
        try_service "$name" "$url" "$key" "$pid" "$role" "$@" >"$TANDEM_DIR/$name-$role.log" 2>&1 &
        trials[$name]=$!
    done < <(services "$role")
    for name in "${!trials[@]}"; do
        wait "${trials[$name]}" || failed+=("$name as $role")
        cat "$TANDEM_DIR/$name-$role.log"
    done
}

start_tandem
failed=()
try_all admin
# Only what an administrator may not: to send replicas.
try_all integration --include-by '/security/0/api_key/0 == integration:apply'
stop_tandem
if [ ${#failed[@]} -gt 0 ]; then
    printf 'Schemathesis found something in: %s\n' "$(IFS=,; echo "${failed[*]}")" >&2
    exit 1
fi
