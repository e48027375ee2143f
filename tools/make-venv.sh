#!/usr/bin/env bash
# Make the virtual environment $1 with the packages that the lock file $2 names, bytecode compiled.
set -euo pipefail
venv=$1 lock=$2
here=$(dirname "$0")

pinned_uv=$(grep -o '^uv==[^ ]*' "$lock")
if [ ! -x "$venv/bin/python" ]; then
  python=$("$here/find-python.sh")
  if uv --version >/dev/null 2>&1; then
    uv venv --quiet --seed --python "$python" "$venv"
  else
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
      # Debian and Ubuntu ship Python without the part that makes virtual environments.
      if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq python3-venv
      else
        echo "$python cannot make a virtual environment. Install the package python3-venv, or uv." >&2
        exit 1
      fi
    fi
    "$python" -m venv "$venv"
  fi
fi
if uv --version >/dev/null 2>&1; then
  uv=uv
else
  [ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$pinned_uv"
  uv=$venv/bin/uv
fi
"$uv" pip install --python "$venv/bin/python" --compile-bytecode --requirement "$lock"
