#!/usr/bin/env bash
# See that there is a Chromium for the browser tests; install Debian's where that is possible.
# Without one the browser tests are skipped, except in CI, where this fails.
set -euo pipefail

found() {
  [ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ] && return
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && return
  done
  for path in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    [ -x "$path" ] && return
  done
  return 1
}

found && exit
if command -v apt-get >/dev/null; then
  as_root=
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  if $as_root true 2>/dev/null; then
    echo "Installing Chromium for the browser tests." >&2
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq || true
    $as_root apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null || true
    found && exit
  fi
fi
echo "There is no Chromium: install one (apt-get install chromium), or set CHROMIUM to its path." >&2
if [ -n "${CI:-}" ]; then
  echo "In CI that is a failure." >&2
  exit 1
fi
echo "The browser tests will be skipped." >&2
