#!/usr/bin/env bash
# Runs a program from a Makefile so that Ctrl-C reaches the program alone.
#
# The terminal sends Ctrl-C to make too, and make then ends with an error, however well the
# program stopped. So the program gets the terminal for a process group of its own: make sees
# nothing of Ctrl-C, waits, and ends with the program's own exit code.
set -euo pipefail

# The 5th and 8th field of proc(5) stat, after the name in brackets: our process group, and the
# one that the terminal belongs to. They differ in the background and without a terminal: there
# is nothing to take, and the program is simply started.
stat=$(</proc/$$/stat)
read -r _ _ group _ _ foreground _ <<<"${stat##*) }"
if [ "$group" != "$foreground" ]; then
    exec "$@"
fi

# Ctrl-Z would stop the program but not make, and nothing could continue it.
trap '' TSTP
# When make is told to end, it tells us and we tell the program.
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
# Job control: from here on, what is started gets its own process group and the terminal.
set -m
"$@"
