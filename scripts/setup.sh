#!/usr/bin/env bash
# Makes sure that this machine has what Tandem needs beside Rust. Prints nothing when it has.
#
#   scripts/setup.sh [run|test|bench]
#
#   run     PostgreSQL 15 or newer (its programs only), libpq, a C compiler, make
#   test    the same, and Schemathesis in a Python environment of its own under target/
#   bench   the same as run, and wrk
#
# On Debian and Ubuntu, what is missing is installed as root or with a sudo that asks for no
# password. Elsewhere one line says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
case $purpose in
    run | test | bench) ;;
    *) echo "usage: scripts/setup.sh [run|test|bench]" >&2 && exit 2 ;;
esac

stop() {
    echo "$1" >&2
    exit 1
}

has() { command -v "$1" >/dev/null; }

# Debian keeps the server's programs out of the PATH, a folder for each version.
has_postgresql() {
    local bin version
    for bin in /usr/lib/postgresql/*/bin; do
        version=${bin#/usr/lib/postgresql/}
        version=${version%/bin}
        if [[ $version =~ ^[0-9]+$ && $version -ge 15 && -x $bin/initdb && -x $bin/postgres &&
            -x $bin/pgbench && -x $bin/pg_dump ]]; then
            return 0
        fi
    done
    return 1
}

has_libpq() { has pg_config && compgen -G '/usr/lib/*/libpq.so' >/dev/null; }

has_c_compiler() { has cc && [ -e /usr/include/stdio.h ]; }

# ---- Schemathesis: for the tests only ----

environment=target/schemathesis-venv
requirements=tests/schemathesis/requirements.txt

has_schemathesis() { cmp -s "$requirements" "$environment/installed.txt"; }

# The first Python that can make an environment: Debian's needs a package for that, others do not.
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

install_schemathesis() {
    echo "Installing Schemathesis into $environment"
    mkdir -p target
    "$(find_python)" -m venv --clear "$environment"
    "$environment/bin/pip" --quiet --disable-pip-version-check install -r "$requirements" ||
        stop "Schemathesis cannot be installed: pip failed (see above); it needs PyPI once."
    cp "$requirements" "$environment/installed.txt"
}

# ---- Packages of the distribution ----

look_for_what_is_missing() {
    missing=()
    packages=()
    has_postgresql || need "PostgreSQL 15 or newer" postgresql
    has_libpq || need libpq libpq-dev
    has_c_compiler || need "a C compiler" gcc libc6-dev
    has make || need make make
    if [ "$purpose" = test ]; then
        has_schemathesis || find_python >/dev/null || need "Python 3 with venv" python3-venv
    fi
    if [ "$purpose" = bench ]; then
        has wrk || need wrk wrk
    fi
}

need() {
    missing+=("$1")
    packages+=("${@:2}")
}

list() {
    local all
    all=$(printf ', %s' "$@")
    echo "${all#, }"
}

as_root() {
    if [ "$EUID" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_install() {
    has apt-get && { [ "$EUID" -eq 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }
}

# Installing PostgreSQL on Debian makes a cluster and starts it, unless this setting is there.
# Tandem brings its own cluster, so the setting is put there for the installation only.
clusters=/etc/postgresql-common/createcluster.d
no_cluster=$clusters/zz-no-cluster-for-tandem.conf

allow_clusters_again() {
    as_root rm -f "$no_cluster"
    # Goes only if it is empty: it may have been there before.
    as_root rmdir "$clusters" 2>/dev/null || true
}

install_packages() {
    local log
    log=$(mktemp)
    echo "Installing $(list "${missing[@]}"): apt-get install ${packages[*]}"
    trap allow_clusters_again EXIT
    as_root mkdir -p "$clusters"
    echo "create_main_cluster = false" | as_root tee "$no_cluster" >/dev/null
    # A package list that cannot be refreshed may still do; NEEDRESTART_SUSPEND: Ubuntu would
    # restart other services of the machine.
    as_root apt-get -q update >"$log" 2>&1 || true
    if ! as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends \
        "${packages[@]}" >>"$log" 2>&1; then
        cat "$log" >&2
    fi
    rm -f "$log"
    allow_clusters_again
    trap - EXIT
}

has cargo || stop "Rust is missing: install it with rustup (rustup.rs), open a new shell and try again."

look_for_what_is_missing
if [ ${#missing[@]} -gt 0 ] && can_install; then
    install_packages
    look_for_what_is_missing
fi
if [ ${#missing[@]} -gt 0 ]; then
    stop "Missing: $(list "${missing[@]}"). Install them (Debian, Ubuntu: apt-get install ${packages[*]}) and try again."
fi
if [ "$purpose" = test ]; then
    has_schemathesis || install_schemathesis
fi
