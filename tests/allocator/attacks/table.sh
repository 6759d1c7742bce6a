#!/bin/sh
# table.sh BUILD: runs every attack with every size it is meant for, with HAKMEM preloaded under its
# default options and with glibc alone, and counts those that are reported: by HAKMEM with a message
# and abort(), by glibc with any end by a signal. Fails when HAKMEM misses one.
set -eu
attack=$1/tests/attack library=$1/lib/libhakmem.so
[ -e "$library" ] && [ -x "$attack" ]
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/all" "$work/hakmem" "$work/glibc" "$work/missed"
"$attack" --list | while read -r name sizes; do
    for size in $sizes; do
        said=$(LD_PRELOAD=$library "$attack" "$name" "$size" 2>&1) && status=0 || status=$?
        case $status:$said in
        134:*hakmem:*) echo 1 >>"$work/hakmem" ;;
        *) echo "not reported: $name $size (status $status) $said" ;;
        esac
        "$attack" "$name" "$size" >/dev/null 2>&1 && status=0 || status=$?
        if [ "$status" -gt 128 ]; then echo 1 >>"$work/glibc"; else echo "$name $size" >>"$work/missed"; fi
        echo 1 >>"$work/all"
    done
done 2>/dev/null # where the shell names each end by a signal
count() { wc -l <"$work/$1"; }
echo "attacks: $(count all); reported by HAKMEM: $(count hakmem), by glibc: $(count glibc)"
sort "$work/missed" | awk '{n[$1]++} END {for (a in n) print "  glibc misses " a " with " n[a] " sizes"}' | sort
[ "$(count all)" -eq "$(count hakmem)" ]
