#!/bin/sh
# Runs the tests of the page: its pure modules in node, then the page in Chromium as a real
# collector serves it. Reads BUILD (a finished build); npm works below it, not in the source.
# --modules-only: the first part alone, which needs neither browser, collector nor npm.
set -eu

die() {
    printf 'run.sh: error: %s\nHINT: %s\n' "$1" "$2" >&2
    exit 1
}
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || die 'node is not installed' 'run deploy/bootstrap build'
node --test "$here"/*.test.mjs
[ "${1-}" != --modules-only ] || exit 0

: "${BUILD:?names the folder of a finished build}"
npm_dir=$BUILD/browser.npm
stamp=$npm_dir/fetched.sha256
mkdir -p "$npm_dir"
wanted=$(cat "$here/package.json" "$here/package-lock.json" "$here/.npmrc" | sha256sum)
if [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ]; then
    command -v npm >/dev/null || die 'npm is not installed' 'run deploy/bootstrap build'
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$npm_dir/"
    # The browser is Debian's own: playwright-core brings none, and its scripts are not run.
    (cd "$npm_dir" && npm ci --ignore-scripts --prefer-offline --no-progress \
        --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000) \
        >"$npm_dir/npm.log" 2>&1 || {
        tail -n 5 "$npm_dir/npm.log" >&2
        die 'npm could not fetch playwright-core' \
            'check the network and npm config get registry; once fetched it is kept'
    }
    echo "$wanted" >"$stamp"
fi
exec node --test "$here/page.browser.mjs"
