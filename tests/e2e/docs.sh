#!/bin/sh
# docs.sh BUILD SOURCE [--write]: the tables of options in the docs are those that the program draws from its rows: what
# stands between the two marks of a page is the output of the command that the first one names. --write puts it there.
set -eu
. "$(dirname "$0")/lib.sh"

first='<!-- drawn by: vigil help --markdown '
last='<!-- end of what is drawn -->'
for page in "$source"/docs/*.md; do
    command=$(sed -n "s/^$first\(.*\) -->\$/\1/p" "$page")
    [ -n "$command" ] || continue
    run 0 help --markdown "$command"
    awk -v first="$first" -v last="$last" -v drawn="$tmp/out" '
        index($0, last) == 1 { inside = 0 }
        !inside { print }
        index($0, first) == 1 {
            inside = 1
            print ""
            while ((getline line < drawn) > 0)
                print line
            print ""
        }
        END { exit inside }' "$page" >page.md || fail "$page: the second mark is missing"
    [ "${3:-}" = --write ] && cat page.md >"$page"
    diff "$page" page.md >differs || fail "$(basename "$page") is not what vigil help --markdown $command draws;" \
        "tests/e2e/docs.sh BUILD SOURCE --write writes it anew: $(head -n 6 differs)"
    n_checks=$((n_checks + 1))
    echo "$command" >>pages
done
equal "$(sort pages | tr '\n' ' ')" "predict train watch yolo " "the commands that a page has a table of"
run 2 help --markdown nope
is_error 'no command "nope"'
done_well
