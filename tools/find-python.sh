#!/usr/bin/env bash
# Print the path of a Python that is new enough: $PYTHON if it is set, else the first that runs.
set -euo pipefail

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
  new_enough "$PYTHON" || { echo "PYTHON=$PYTHON is not a Python 3.11 or later." >&2; exit 1; }
  command -v "$PYTHON"
  exit
fi
# A command may be on the PATH and not run (a shim of pyenv), so each is tried.
for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
  if new_enough "$candidate"; then
    "$candidate" -c 'import sys; print(sys.executable)'
    exit
  fi
done
echo "No Python 3.11 or later was found. Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
