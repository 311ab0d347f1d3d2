#!/bin/sh
# keys.sh BUILD SOURCE: every key of the reference's configuration, in every mode, has the answer that `vigil help yolo`
# draws: it acts, it has no effect (said once), it is refused with what to do instead, or it is another command's. At the
# reference's own defaults none of them is in the way.
set -eu
. "$(dirname "$0")/lib.sh"
tab=$(printf '\t')
grep -v '^#' "$source/tests/fixtures/yolo-keys.tsv" >keys
run 0 help yolo
cp out drawn
equal "$(sed -n 's/^| `\([a-z0-9_]*\)` |\( [a-z-]* \| no effect \| predict, track \||\)*\( both\| 8.3\| 8.4\) |$/\1/p' drawn | sort)" \
    "$(cut -f1 keys | sort)" "the keys that are drawn"

# begin MODE: what it needs to get as far as its first file, which is not there: status 1.
begin() {
    case $1 in
        train) echo "data=nope.yaml model=yolo11n.yaml" ;;
        val) echo "data=nope.yaml model=nope.pt" ;;
        predict) echo "model=nope.pt source=nope.mp4" ;;
        export) echo "model=nope.pt" ;;
    esac
}
# Given above, the grammar's own, or what says what is to be done.
is_given() {
    case $1 in task | mode | model | data | source | cfg | format) return 0 ;; esac
    return 1
}
# Another value than the default: another truth, another number, else 1.
other() {
    case $1 in
        true) echo False ;;
        false) echo True ;;
        1 | 1.0) echo 2 ;;
        *) echo 1 ;;
    esac
}
# cell KEY COLUMN of the drawn table.
cell() {
    sed -n "s/^| \`$1\` |/|/p" drawn | head -n 1 | cut -d'|' -f"$2" | sed 's/^ *//; s/ *$//'
}

# Said at their default, or on by themselves.
is_other() {
    case $1 in amp | rect | simplify) return 0 ;; esac
    return 1
}

for mode in train val predict export; do
    for column in 2 3; do
        words=
        while IFS="$tab" read -r key old new; do
            is_given "$key" && continue
            [ "$key" != tracker ] || continue # versions differ in which one it is
            value=$([ $column = 2 ] && echo "$old" || echo "$new")
            [ "$value" = - ] || words="$words $key=$value"
        done <keys
        # shellcheck disable=SC2046,SC2086
        run 1 yolo detect $mode $(begin $mode) $words
        # amp and export's simplify are said whenever they are given; rect of val is on there, whatever the file says.
        if grep '^note: ' err | grep -v 'amp=\|rect=\|simplify='; then fail "a default of the reference is noted"; fi
    done
done

column=1
for mode in train val predict export; do
    column=$((column + 1))
    while IFS="$tab" read -r key old new; do
        is_given "$key" && continue
        value=$(other "$([ "$old" = - ] && echo "$new" || echo "$old")")
        answer=$(cell "$key" $column)
        got=0
        # shellcheck disable=SC2046
        "$vigil" $mode $(begin $mode) "$key=$value" >out 2>err </dev/null || got=$?
        case $answer in
            acts) ! grep -q "no option\|^note: $key=" err || fail "$mode $key=$value does not act" ;;
            "no effect")
                [ "$got" != 2 ] || fail "$mode $key=$value is refused"
                if is_other "$key"; then
                    # One of the two asks for something.
                    for value in True False; do
                        # shellcheck disable=SC2046
                        "$vigil" $mode $(begin $mode) "$key=$value" 2>&1 >"$tmp/out" </dev/null || true
                    done >err
                    [ "$(grep -c "^note: $key=[TF][a-z]* has no effect here: " err)" = 1 ] ||
                        fail "$mode $key= is not noted once, of True and False"
                else
                    grep -q "^note: $key=$value has no effect here: " err ||
                        fail "$mode $key=$value is not noted"
                fi
                ;;
            refused)
                [ "$got" = 2 ] && grep -q "vigil $mode has no $key=$value: " err && grep -q "^  try: " err ||
                    fail "$mode $key=$value is not refused"
                ;;
            -)
                [ "$value" != False ] || continue # which asks for nothing
                [ "$got" = 2 ] && grep -q "^  try: leave it out: it belongs to vigil " err ||
                    fail "$mode $key=$value is not said to be another command's"
                ;;
            *) fail "$mode $key has the answer \"$answer\"" ;;
        esac
        n_checks=$((n_checks + 1))
    done <keys
done
done_well
