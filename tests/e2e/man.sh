#!/bin/sh
# man.sh BUILD SOURCE: what is drawn from the tables: every command has a manual page that roff takes without a word, with
# every option in it; and the completion knows commands, options and values.
set -eu
. "$(dirname "$0")/lib.sh"

run 0 help --completion
cp out commands
[ "$(wc -l <commands)" -ge 14 ] || fail "commands are missing"
run 0 help --man
cp out vigil.1
# shellcheck disable=SC2013 # commands have no blanks
for command in $(cat commands); do
    run 0 help "$command"
    awk '{ if (length($0) > 80) { print; bad = 1 } } END { exit bad }' out || fail "help of $command is wider than 80 columns"
    cp out help.txt
    grep -q "vigil\\\\-$command" vigil.1 || fail "vigil.1 does not name $command"
    run 0 help --man "$command"
    cp out "$command.1"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" "SEE ALSO"; do
        equal "$(grep -c "^.SH $section\$" out)" 1 "sections $section of $command"
    done
    run 0 help --completion "$command"
    cp out completion.txt
    # Of every option: a tag in the page, a line for completion.
    for option in $(sed -n 's/^  --\([a-z][a-z0-9-]*\).*/\1/p' help.txt); do
        sed 's/\\-/-/g' "$command.1" | grep -q -- "^\(\\\\fI.*\)*\\\\fB--$option\\\\fR" ||
            fail "the page of $command has no --$option"
        grep -q -- "^--$option " completion.txt || fail "the completion of $command has no --$option"
    done
done
for page in *.1; do
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$page" >lint.txt || fail "$page: $(head -n 3 lint.txt)"
    elif command -v groff >/dev/null; then
        groff -man -Tutf8 -ww -z "$page" 2>lint.txt
        [ ! -s lint.txt ] || fail "$page: $(head -n 3 lint.txt)"
    fi
    n_checks=$((n_checks + 1))
done
run 2 help --man nope
is_error 'no command "nope"'

# ---- completion: complete WORD... is what bash offers for the last word
command -v bash >/dev/null || {
    done_well
    exit 0
}
mkdir -p shelf/pics
cd shelf
: >pics/a.jpg
: >data.yaml
complete() {
    bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vigil "$1"; printf "%s\n" "${COMPREPLY[@]}" | sort' \
        bash "$source/packaging/completion.bash" "$@" >"$tmp/out"
}
offers() {
    want=$1
    shift
    complete "$vigil" "$@"
    equal "$(tr '\n' ' ' <"$tmp/out" | sed 's/ $//')" "$want" "completion of vigil $*"
}
offers "predict" pred
offers "detect" dete
offers "track train" yolo detect tra
offers "--max-det --max-retries" predict --max-
offers "--max-det --max-retries" yolo detect predict --max-
offers "every" predict --policy e
offers "auto every latest" predict --policy ""
offers "disk none ram" train --cache ""
offers "disk none ram" train cache =
offers "ram" train cache = r
offers "test train" val --split t
offers "avx2 avx512" predict isa = avx
offers "False True" predict save_txt = ""
offers "data.yaml" val --data d
offers "data.yaml" val data = d
offers "data.yaml pics" predict --source ""
offers "pics" train --project ""
offers "pics" stop ""
offers "save= save_conf= save_crop= save_json= save_txt=" predict save
offers "" predict --conf ""
offers "stop" help st
done_well
