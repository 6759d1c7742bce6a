#!/bin/sh
# Prints an assembler table of the files of one folder, for a program to carry inside itself.
# Usage: embed.sh SYMBOL FOLDER PATTERN. In C: extern const struct hp_embedded SYMBOL[];
# ended by a row whose name is NULL. Names are relative to FOLDER, sorted.
set -eu
symbol=$1 folder=$2 pattern=$3
files=$(cd "$folder" && find . -type f -name "$pattern" ! -name '.*' | sed 's|^\./||' | LC_ALL=C sort)
echo '    .section .rodata'
n=0
for file in $files; do
    printf '.Lname%d: .asciz "%s"\n' "$n" "$file"
    printf '.Ldata%d: .incbin "%s/%s"\n.Lend%d: .byte 0\n' "$n" "$folder" "$file" "$n"
    n=$((n + 1))
done
printf '    .section .data.rel.ro,"aw"\n    .balign 8\n    .globl %s\n%s:\n' "$symbol" "$symbol"
i=0
while [ "$i" -lt "$n" ]; do
    printf '    .quad .Lname%d, .Ldata%d, .Lend%d - .Ldata%d\n' "$i" "$i" "$i" "$i"
    i=$((i + 1))
done
printf '    .quad 0, 0, 0\n    .section .note.GNU-stack,"",@progbits\n'
