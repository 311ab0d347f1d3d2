#!/bin/sh
# check_includes.sh [TREE]: reads every #include of TREE/src and TREE/include and fails when an arrow between two floors
# does not go down, naming it. Which floors there are, and what each may look at, is read from the build files: a folder
# with a vigil_floor() in its CMakeLists.txt is a floor, and sees what stands behind FLOORS there.
# check_includes.sh --self-test: plants wrong arrows in a small tree and wants to see each of them reported.
set -eu

# system header (as a prefix): the only folders that may see it, so that a library can be replaced in one place.
libraries='dnnl.h: src/nn/cpu
oneapi/dnnl/: src/nn/cpu
yaml.h: src/base
jansson.h: src/base
expat.h: src/data/convert
sqlite3.h: src/watch/tell
microhttpd.h: src/net
curl/: src/net
librdkafka/: src/net
mosquitto.h: src/net
zip.h: src/weights
turbojpeg.h: src/image
tiff: src/image
jpeglib.h: src/image
jerror.h: src/image
png.h: src/image
webp/: src/image
SDL: src/stream
cairo: src/image src/report
fontconfig/: src/image
libav: src/image src/video
libsw: src/video
protobuf-c/: src/report src/export
event.pb-c.h: src/report
onnx.pb-c.h: src/export
gpu_infer.inc.h: src/nn/gpu
gpu_infer_half.inc.h: src/nn/gpu
gpu_train.inc.h: src/nn/gpu
gpu_learn.inc.h: src/nn/gpu
profile.pb-c.h: src/watch/stacks
elfutils/: src/watch/stacks
dwarf.h: src/watch/stacks'

# floors TREE: a line "FOLDER NAME: what it may look at" for each vigil_floor(). Own headers are always free, and so are
# vigil/error.h, by which floors say what failed, vigil/text.h and vigil/types.h, the values that they hand to callers. HEADERS are floors whose headers are seen, the inner ones too, and whose code is not linked;
# PUBLIC_API is include/vigil.
floors() {
    (
        cd "$1"
        find src -name CMakeLists.txt | LC_ALL=C sort
    ) | awk -v tree="$1" '
    {
        folder = $0
        sub(/^src\//, "", folder)
        sub(/\/CMakeLists.txt$/, "", folder)
        inside = 0
        while ((getline text < (tree "/" $0)) > 0) {
            sub(/#.*/, "", text)
            if (!inside && text !~ /^vigil_floor\(/)
                continue
            ends = text ~ /\)[ \t]*$/
            gsub(/vigil_floor\(|\)[ \t]*$/, " ", text)
            n = split(text, words, " ")
            for (i = 1; i <= n; i++)
                if (!inside) {
                    inside = 1
                    row = folder " " words[i] ":"
                    part = ""
                } else if (words[i] ~ /^(SOURCES|FLOORS|HEADERS|LIBRARIES|PUBLIC_API)$/) {
                    part = words[i]
                    row = row (part == "PUBLIC_API" ? " vigil" : "")
                } else if (part == "FLOORS" || part == "HEADERS")
                    row = row " " words[i] (part == "HEADERS" ? " +" words[i] : "")
            if (ends) {
                print row
                inside = 0
            }
        }
        close(tree "/" $0)
    }'
}

check_tree() {
    (
        cd "$1"
        find src include -name '*.[ch]' | LC_ALL=C sort
    ) | FLOORS=$(floors "$1") LIBRARIES=$libraries awk -v tree="$1" '
    function complain(text)
    {
        printf "%s:%d: %s\n", file, line, text
        wrong++
    }
    function exists(path,   ignored, found)
    {
        found = (getline ignored < (tree "/" path)) >= 0
        close(tree "/" path)
        return found
    }
    # "src/nn/cpu/../map.h" -> "src/nn/map.h"
    function simple(path,   parts, n, i, kept, out)
    {
        n = split(path, parts, "/")
        kept = 0
        for (i = 1; i <= n; i++) {
            if (parts[i] == "." || parts[i] == "")
                continue
            if (parts[i] == ".." && kept > 0)
                kept--
            else
                stack[++kept] = parts[i]
        }
        out = stack[1]
        for (i = 2; i <= kept; i++)
            out = out "/" stack[i]
        return out
    }
    # The floor that a file of ours stands on: the innermost folder that is one; include/vigil/... is vigil.
    function floor_of(path,   folder)
    {
        if (path ~ /^include\//)
            return "vigil"
        folder = path
        while (sub(/\/[^\/]*$/, "", folder))
            if (substr(folder, 5) in named)
                return named[substr(folder, 5)]
        return ""
    }
    # What others include of a floor: X/X.h; floors within one house know each other, and take what they need, and so does
    # who names a floor behind HEADERS.
    function is_public(target, from, to,   folder, name)
    {
        folder = folder_of[to]
        name = folder
        sub(/.*\//, "", name)
        return target == "src/" folder "/" name ".h" || house(folder) == house(folder_of[from]) || \
            index(" " may[from] " ", " +" to " ") > 0
    }
    function house(folder)
    {
        sub(/\/.*/, "", folder)
        return folder
    }
    function check_library(name,   prefix, i, n, folders)
    {
        for (prefix in library) {
            if (index(name, prefix) != 1)
                continue
            n = split(library[prefix], folders, " ")
            for (i = 1; i <= n; i++)
                if (index(file, folders[i] "/") == 1)
                    return
            complain("<" name "> belongs to" library[prefix] " alone")
        }
    }
    function seen_by(from,   list)
    {
        list = may[from]
        gsub(/ \+[a-z_]+/, "", list)
        return list ~ /[a-z]/ ? list : " nothing"
    }
    function check_include(name, quoted,   folder, target, from, to)
    {
        folder = file
        sub(/[^\/]*$/, "", folder)
        target = ""
        if (quoted && exists(folder name))
            target = simple(folder name)
        else if (exists("src/" name))
            target = simple("src/" name)
        else if (exists("include/" name))
            target = simple("include/" name)
        if (target == "") {
            if (quoted)
                complain("\"" name "\" is no header of this tree; a library is included with <>")
            else
                check_library(name)
            return
        }
        from = floor_of(file)
        to = floor_of(target)
        if (from == to || target ~ /^include\/vigil\/(error|option|text|types)\.h$/)
            return
        if (index(" " may[from] " ", " " to " ") == 0)
            complain("wrong arrow " from " -> " to " (\"" name "\"): " from " may look at:" \
                     seen_by(from))
        else if (target ~ /^src\// && !is_public(target, from, to))
            complain("\"" name "\" is " to "'"'"'s own; others include \"" to "/" to ".h\"")
    }
    BEGIN {
        n = split(ENVIRON["FLOORS"], rows, "\n")
        for (i = 1; i <= n; i++) {
            split(rows[i], row, ":")
            split(row[1], place, " ")
            named[place[1]] = place[2]
            folder_of[place[2]] = place[1]
            may[place[2]] = row[2]
        }
        n = split(ENVIRON["LIBRARIES"], rows, "\n")
        for (i = 1; i <= n; i++) {
            split(rows[i], row, ":")
            library[row[1]] = row[2]
        }
    }
    {
        file = $0
        line = 0
        n_files++
        if (floor_of(file) == "")
            complain("no floor: a folder of src/ has a vigil_floor() in its CMakeLists.txt")
        while ((getline text < (tree "/" file)) > 0) {
            line++
            if (text !~ /^[ \t]*#[ \t]*include/)
                continue
            n_includes++
            if (match(text, /"[^"]+"/))
                check_include(substr(text, RSTART + 1, RLENGTH - 2), 1)
            else if (match(text, /<[^>]+>/))
                check_include(substr(text, RSTART + 1, RLENGTH - 2), 0)
            else
                complain("cannot read this #include: write the name, not a macro")
        }
        close(tree "/" file)
    }
    END {
        printf "%d includes in %d files, %d wrong\n", n_includes, n_files, wrong
        exit wrong > 0 || n_files == 0
    }'
}

# plant FILE LINE...: writes FILE of the small tree.
plant() {
    mkdir -p "$(dirname "$tmp/$1")"
    path=$1
    shift
    printf '%s\n' "$@" >"$tmp/$path"
}

# expect_red NAME PATTERN: the tree as it stands must fail with a line that holds PATTERN; then src is made good again.
expect_red() {
    if out=$(check_tree "$tmp"); then
        echo "self-test: $1 went unseen"
        failed=1
    elif ! printf '%s\n' "$out" | grep -qF -- "$2"; then
        printf 'self-test: %s: wanted "%s" in:\n%s\n' "$1" "$2" "$out"
        failed=1
    fi
    good_tree
}

good_tree() {
    rm -rf "$tmp/src" "$tmp/include"
    plant src/base/CMakeLists.txt 'vigil_floor(base SOURCES mem.c)'
    plant src/image/CMakeLists.txt '# pictures' 'vigil_floor(image' '  SOURCES image.c' '  FLOORS base' '  LIBRARIES m)'
    plant src/nn/CMakeLists.txt 'vigil_floor(nn SOURCES nn.c' '  FLOORS base LIBRARIES m)'
    plant src/nn/cpu/CMakeLists.txt 'vigil_floor(nn_cpu SOURCES gemm.c FLOORS base HEADERS nn)'
    plant src/cli/CMakeLists.txt 'vigil_floor(cli PUBLIC_API SOURCES main.c)'
    plant include/vigil/error.h '#include <stddef.h>'
    plant include/vigil/vigil.h '#include "error.h"'
    plant include/vigil/types.h '#include "error.h"'
    plant src/base/mem.h '#include "vigil/error.h"'
    plant src/base/base.h '#include "mem.h"'
    plant src/image/image.h '#include "base/base.h"' '#include "vigil/types.h"'
    plant src/nn/nn.h '#include "base/base.h"'
    plant src/nn/cpu/gemm.c '#include <dnnl.h>' '#include "../nn.h"'
    plant src/cli/main.c '#include "vigil/vigil.h"' '#include <stdio.h>'
}

self_test() {
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    failed=0
    good_tree
    check_tree "$tmp" >/dev/null || {
        echo "self-test: the good tree was refused:"
        check_tree "$tmp" || true
        failed=1
    }
    plant src/base/up.c '#include "image/image.h"'
    expect_red "an arrow up" 'src/base/up.c:1: wrong arrow base -> image'
    plant src/nn/side.c '' '#include <image/image.h>'
    expect_red "an arrow in <>" 'src/nn/side.c:2: wrong arrow nn -> image'
    plant src/image/back.c '#  include "../nn/nn.h"'
    expect_red "an arrow by a relative path" 'wrong arrow image -> nn'
    plant src/image/deep.c '#include "base/mem.h"'
    expect_red "another floor's own header" "is base's own"
    plant src/nn/deep.c '#include "cpu/gemm.h"'
    plant src/nn/cpu/gemm.h '#include "../nn.h"'
    expect_red "a house that looks into its inner floor" 'wrong arrow nn -> nn_cpu'
    plant src/image/far.c '#include "vigil/vigil.h"'
    expect_red "a floor that looks at the whole public header" 'wrong arrow image -> vigil'
    plant src/cli/deep.c '#include "base/base.h"'
    expect_red "a command that looks behind vigil.h" 'wrong arrow cli -> base'
    plant include/vigil/vigil.h '#include "base/base.h"'
    expect_red "a public header that needs a floor" 'wrong arrow vigil -> base'
    plant src/train/CMakeLists.txt 'vigil_floor(train SOURCES run.c FLOORS nn HEADERS nn_cpu base)'
    plant src/train/run.c '#include "nn/cpu/gemm.h"' '#include "nn/ops.h"'
    plant src/nn/cpu/gemm.h '#include "../nn.h"'
    plant src/nn/ops.h '#include "base/base.h"'
    expect_red "an inner header of a floor that is not behind HEADERS" 'src/train/run.c:2: "nn/ops.h" is nn'
    plant src/nn/graph.c '#include "dnnl.h"'
    expect_red "a library in quotes" 'is no header of this tree'
    plant src/nn/graph.c '#include <dnnl.h>'
    expect_red "oneDNN outside its backend" 'src/nn/cpu alone'
    plant src/nn/graph.c '#include <event.pb-c.h>'
    expect_red "protobuf-c's messages outside report" 'src/report alone'
    plant src/nn/graph.c '#include HEADER'
    expect_red "an include by macro" 'cannot read'
    plant src/attic/attic.c '#include <stdio.h>'
    expect_red "a folder that is no floor" 'src/attic/attic.c:0: no floor'
    rm -rf "$tmp/src" "$tmp/include"
    mkdir "$tmp/src" "$tmp/include"
    expect_red "an empty tree" '0 includes in 0 files'
    [ "$failed" = 0 ] && echo "self-test: 15 wrong trees seen, the good one passed"
    return "$failed"
}

case ${1:-} in
--self-test) self_test ;;
-*)
    echo "usage: check_includes.sh [TREE | --self-test]" >&2
    exit 2
    ;;
*) check_tree "${1:-$(dirname "$0")/..}" ;;
esac
