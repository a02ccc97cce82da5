#!/bin/sh
# new-secrets.sh EXAMPLE TARGET: the example with every empty `NAME=` filled with 32 random letters and digits.
# Leaves a TARGET that is there alone.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 EXAMPLE TARGET" >&2; exit 2; }
example=$1 target=$2
if [ -e "$target" ]; then
    echo "$target is there already and was left as it is." >&2
    exit 0
fi

secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
        \#*) echo "$line" ;;
        *=) echo "$line$(secret)" ;;
        *) echo "$line" ;;
    esac
done <"$example" >"$target.partial"
mv "$target.partial" "$target"
echo "$target: fresh secrets, mode 600."
