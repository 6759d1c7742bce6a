#!/bin/sh
# update_readme.sh PROGRAM README: prints README with the generated table of options in its place.
set -eu
sed -n '1,/<!-- options: begin -->/p' "$2"
"$1"
sed -n '/<!-- options: end -->/,$p' "$2"
