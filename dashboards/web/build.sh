#!/bin/sh
# Collects the page's files in one flat folder: its own, and uPlot's, which npm fetches by the
# lock file. Usage: build.sh OUTDIR. The source folder is only read; npm works in OUTDIR.npm and
# runs again only when the lock file has changed, so that later builds need no network.
set -eu

die() {
    printf 'build.sh: error: %s\nHINT: %s\n' "$1" "$2" >&2
    exit 1
}
[ $# -eq 1 ] || { echo 'usage: dashboards/web/build.sh OUTDIR' >&2; exit 2; }

src=$(dirname "$0")
out=$1
npm_dir=$out.npm
stamp=$npm_dir/fetched.sha256
[ -d "$npm_dir" ] || [ -z "$(ls -A "$out" 2>/dev/null)" ] ||
    die "$out is not empty and was not made by this script" 'name a folder of its own'
mkdir -p "$out" "$npm_dir"

wanted=$(cat "$src/package.json" "$src/package-lock.json" "$src/.npmrc" | sha256sum)
if [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ]; then
    command -v npm >/dev/null || die 'npm is not installed' 'run deploy/bootstrap build'
    cp "$src/package.json" "$src/package-lock.json" "$src/.npmrc" "$npm_dir/"
    # Retries shorter than npm's own: without network a build shall fail in seconds.
    (cd "$npm_dir" && npm ci --ignore-scripts --prefer-offline --no-progress \
        --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000) \
        >"$npm_dir/npm.log" 2>&1 || {
        tail -n 5 "$npm_dir/npm.log" >&2
        die 'npm could not fetch the chart library of the page (uplot)' \
            'check the network and npm config get registry; once fetched it is kept'
    }
    echo "$wanted" >"$stamp"
fi

# Files deleted from the source must not survive here: the collector embeds the whole folder.
find "$out" -maxdepth 1 -type f -delete
for file in "$src"/*.html "$src"/*.js "$src"/*.css "$src"/*.svg; do
    case $file in
    *'*'* | *.test.js) ;; # a pattern without a file, a test
    *) cp "$file" "$out/" ;;
    esac
done
cp "$npm_dir/node_modules/uplot/dist/uPlot.esm.js" \
    "$npm_dir/node_modules/uplot/dist/uPlot.min.css" "$out/"
