#!/bin/sh
# size.sh ARCHIVE LIBRARY-FOLDER: bytes of text of the loader's part and of the rest, and the largest stack frames.
loader=' bias.c.o contents.c.o ehdr.c.o fail.c.o fetch.c.o judge.c.o load.c.o note.c.o other.c.o plan.c.o policy.c.o raise.c.o reader.c.o single.c.o '
size -A "$1" | awk -v loader="$loader" '
    / +:$|\(ex/ { name = $1; sub(/^src_/, "", name); sub(/:.*/, "", name) }
    /^\.text/ { if (index(loader, " " name " ")) part += $2; else rest += $2 }
    END { printf "text: %d bytes for the loader, %d for tools and sentences\n", part, rest }'
work=$(mktemp -d)
for file in "$2"/src/*.c; do
    cc -std=c17 -O2 -fPIC -ffreestanding -fno-stack-protector -fstack-usage -I"$2/include" -c "$file" \
        -o "$work/$(basename "$file").o"
done
echo "largest stack frames (bytes):"
cat "$work"/*.su | awk '{ split($1, at, ":"); print $2, at[4] }' | sort -rn | head -5
rm -rf "$work"
