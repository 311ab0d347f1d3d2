#!/bin/sh
# check_tasks.sh [TREE]: what tasks differ in stands in src/task, a descriptor each; elsewhere nobody asks which task it
# is. Fails where a line of TREE/src outside that folder compares a task or chooses by one, or names one of vg_task's values.
# check_tasks.sh --self-test: plants such lines in a small tree and wants to see each of them reported.
set -eu

# Where a value of vg_task may stand: the rows of nn's modules and models, which say what a head is for, and where nn
# reads that off the tensors of a file, and starts a network; nn lies below src/task.
look() {
    (
        cd "$1"
        grep -rnE '(task|id)(\)|->id|\.id)? *[!=]= *(VG_TASK_|&?task_)|switch *\([^)]*task|VG_TASK_[A-Z]+' src --include='*.c' --include='*.h' |
            grep -vE '^src/task/|^src/nn/(models|graph_find|graph_info|train_init)\.c|^src/nn/module_[a-z_]+\.c:[0-9]+: *(\.task|.*\.task) *= *VG_TASK_' || true
    )
}

if [ "${1:-}" = --self-test ]; then
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/src/task" "$tree/src/nn" "$tree/src/train"
    echo 'if (t->id == VG_TASK_POSE)' >"$tree/src/task/fine.c"
    echo 'const nn_module m = {.name = "Pose", .task = VG_TASK_POSE};' >"$tree/src/nn/module_heads.c"
    [ -z "$(look "$tree")" ] || { echo "reported what is allowed"; exit 1; }
    for line in 'if (info.task == VG_TASK_POSE)' 'if (r->task != &task_detect)' 'switch (info->task) {' 'case VG_TASK_OBB:'; do
        echo "    $line" >"$tree/src/train/wrong.c"
        [ -n "$(look "$tree")" ] || { echo "not reported: $line"; exit 1; }
    done
    exit 0
fi

found=$(look "${1:-$(dirname "$0")/..}")
[ -z "$found" ] || {
    printf '%s\n' "$found"
    echo "error: what a task differs in belongs into its descriptor (src/task)"
    exit 1
}
