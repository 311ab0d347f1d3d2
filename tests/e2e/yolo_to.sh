#!/bin/sh
# yolo_to.sh FOLDER OUT WIDTH HEIGHT CLASS...: a YOLO dataset (FOLDER/images/SPLIT, labels/SPLIT), whose pictures all have one size, as
# COCO in OUT/coco and as Pascal VOC in OUT/voc: for round trips, also of data of your own. COCO's ids are 10, 20, ... backwards in the
# file; pictures are symbolic links.
set -eu
folder=$(cd "$1" && pwd)
out=$2
w=$3
h=$4
shift 4
mkdir -p "$out/coco/annotations"
for split in train val test; do
    [ -d "$folder/images/$split" ] || continue
    mkdir -p "$out/coco/images/$split" "$out/voc/$split"
    for picture in "$folder/images/$split"/*; do
        ln -s "$picture" "$out/coco/images/$split/"
        ln -s "$picture" "$out/voc/$split/"
        name=$(basename "$picture")
        label=$folder/labels/$split/${name%.*}.txt
        [ -f "$label" ] || label=/dev/null
        printf '<annotation><filename>%s</filename><size><width>%d</width><height>%d</height></size>\n' "$name" "$w" "$h" \
            >"$out/voc/$split/${name%.*}.xml"
        awk -v w="$w" -v h="$h" -v names="$*" 'BEGIN { split(names, name, " ") }
            { printf "<object><name>%s</name><bndbox><xmin>%.12g</xmin><ymin>%.12g</ymin><xmax>%.12g</xmax><ymax>%.12g</ymax></bndbox></object>\n",
                  name[$1 + 1], ($2 - $4 / 2) * w, ($3 - $5 / 2) * h, ($2 + $4 / 2) * w, ($3 + $5 / 2) * h }
            END { print "</annotation>" }' "$label" >>"$out/voc/$split/${name%.*}.xml"
        awk -v name="$name" '{ print name, $0 } END { if (NR == 0) print name }' "$label"
    done | awk -v w="$w" -v h="$h" -v names="$*" '
        !($1 in id) { id[$1] = 7 + 3 * n++; images = images (n > 1 ? "," : "") sprintf("{\"id\":%d,\"file_name\":\"%s\",\"width\":%d,\"height\":%d}\n", id[$1], $1, w, h) }
        NF > 1 { printf "%s{\"id\":%d,\"image_id\":%d,\"category_id\":%d,\"iscrowd\":0,\"bbox\":[%.12g,%.12g,%.12g,%.12g]}\n", \
                     (k++ ? "," : "{\"annotations\":["), k, id[$1], 10 * ($2 + 1), ($3 - $5 / 2) * w, ($4 - $6 / 2) * h, $5 * w, $6 * h }
        END {
            printf "%s],\"images\":[%s],\"categories\":[", (k ? "" : "{\"annotations\":["), images
            for (i = split(names, name, " "); i > 0; i--)
                printf "{\"id\":%d,\"name\":\"%s\"}%s", 10 * i, name[i], (i > 1 ? "," : "]}\n")
        }' >"$out/coco/annotations/instances_$split.json"
done
