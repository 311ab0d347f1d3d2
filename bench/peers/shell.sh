# shell.sh: what the scripts of bench/ that measure beside peers share; they read it by `.`.

# One word for each program, quoted for the shell that compare.py and compare_tasks.py split it as.
quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

# want_programs BUILD "TARGETS" PROGRAM...: or an end that says how they are made.
want_programs() {
    folder=$1 targets=$2
    shift 2
    for program; do
        [ -x "$folder/$program" ] || {
            echo "error: there is no $folder/$program" >&2
            echo "  try: cmake --build $folder --target $targets" >&2
            exit 1
        }
    done
}

# make_environment FOLDER PACKAGE...: of Python, once. The mark is written last (`environment_is_made FOLDER`): one that was
# broken off is made again.
make_environment() {
    folder=$1
    shift
    python3 -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}
environment_is_made() {
    touch "$1/complete"
}
