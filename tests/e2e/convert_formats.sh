#!/bin/sh
# convert_formats.sh BUILD SOURCE: Pascal VOC, LabelMe and folders of YOLO's rows without a YAML become the labels that they mean; a file
# that is broken costs its own picture alone.
set -eu
. "$(dirname "$0")/lib.sh"
pictures drawn 8 # scene_0 and scene_4 are 640x480

same() { # FILE TEXT
    printf "$2" >want
    cmp -s want "$1" || fail "$1 is: $(cat "$1") instead of: $(cat want)"
    n_checks=$((n_checks + 1))
}
# copies NAME...: pictures in the folder $to, all different
copies() {
    for name in "$@"; do
        cp drawn/scene_0.bmp "$to/$name"
        printf '%s' "$name" >>"$to/$name"
    done
}

# ---- Pascal VOC, with lists of splits
mkdir -p voc/Annotations voc/ImageSets/Main
to=voc/JPEGImages
mkdir $to
copies one.bmp two.bmp three.bmp four.bmp five.bmp six.bmp lost.bmp
head='<folder>x</folder><path>C:\\pictures\\zzz.bmp</path><size><width>640</width><height>480</height><depth>3</depth></size>'
box='<bndbox><xmin>64</xmin><ymin>48</ymin><xmax>192</xmax><ymax>144</ymax></bndbox>'
annotation() { # NAME TEXT
    printf "%b" "$2" >"voc/Annotations/$1.xml"
}
annotation one "\\0357\\0273\\0277<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<annotation><filename>one.bmp</filename>$head
 <object><name> dog </name><difficult>0</difficult><part><name>head</name>$box</part>
  <bndbox><xmax>320</xmax><xmin>0</xmin><ymax>480</ymax><ymin>0</ymin></bndbox></object>
 <object><name>cat &amp; co</name><difficult>1</difficult>$box</object></annotation>"
annotation two "<annotation><filename>..\\\\\\\\..\\\\\\\\two.jpg</filename>$head<object><name>dog</name>
 <bndbox><xmin>-64</xmin><ymin>-48</ymin><xmax>64</xmax><ymax>48</ymax></bndbox></object></annotation>"
annotation three "<annotation><filename>/etc/passwd</filename><size><width>0</width><height>0</height></size></annotation>"
annotation four "<annotation><filename>four.bmp</filename>$head<object><name>dog</name><bndbox><xmin>1</xmin></bndbox></object>
 <object>$box</object><object><name>dog</name><bndbox><xmin>a</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
 <object><name>dog</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></object>
 <object><name>dog</name><polygon><x1>0</x1><y1>0</y1><x2>64</x2><y2>0</y2><x3>64</x3><y3>48</y3></polygon></object></annotation>"
annotation five "<annotation><filename>five.bmp</filename>\n<object>\n</annotation>"
annotation six '<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY y "&x;&x;">]><annotation><filename>&y;</filename></annotation>'
printf 'one\ntwo\r\nfour\nfive\nsix\n' >voc/ImageSets/Main/train.txt
printf 'three  1\n' >voc/ImageSets/Main/val.txt
annotation lost "<annotation><filename>lost.bmp</filename>$head</annotation>"
run 0 convert --data voc --output made
says out "classes: 0 cat & co, 1 dog"
says out "from voc"
says out "train: 3 pictures with 4 objects"
says out "val: 1 picture with 0 objects"
says out "1 object marked as difficult, kept"
says out "1 object as polygons"
says out "left out: 2 files of annotations that cannot be read; the first: voc/Annotations/five.xml:3: mismatched tag"
says out "left out: 2 objects: without a box that can be read; the first: voc/Annotations/four.xml: object 1"
says out "left out: 1 objects: of a class that the source does not name; the first: voc/Annotations/four.xml: object 2"
says out "left out: 1 objects: without an area in the picture"
says out "left out: 1 pictures: in no list of ImageSets/Main; the first: voc/Annotations/lost.xml"
same made/labels/train/one.txt '1 0.25 0.5 0.5 1\n0 0.2 0.2 0.2 0.2\n'
same made/labels/train/two.txt '1 0.05 0.05 0.1 0.1\n'
same made/labels/train/four.txt '1 0 0 0.1 0 0.1 0.1\n'
same made/labels/val/three.txt ''
run 0 convert --data voc --output easy --no-difficult
says out "left out: 1 objects: marked as difficult"
same easy/labels/train/one.txt '0 0.25 0.5 0.5 1\n'
# Beside the pictures, a folder a split, and one of a name twice.
mkdir -p flat/train flat/valid
for split in train valid; do
    to=flat/$split
    copies a.bmp
    printf '%s' $split >>flat/$split/a.bmp
    printf '<annotation><filename>a.bmp</filename><object><name>%s</name>%s</object></annotation>' "$split" "$box" >flat/$split/a.xml
done
run 0 convert --data flat --output flat_made
cmp flat/valid/a.bmp flat_made/images/val/a.bmp || fail "the picture of another split"
same flat_made/labels/val/a.txt '1 0.2 0.2 0.2 0.2\n'

# ---- LabelMe
mkdir labelme
to=labelme
copies a.bmp b.bmp c.bmp d.bmp
shape() { # LABEL TYPE POINTS [MORE]
    printf '{"label":"%s","shape_type":"%s","points":%s,"flags":{}%s},' "$1" "$2" "$3" "${4-}"
}
{
    printf '{"version":"5.0","flags":{},"shapes":['
    shape "zoo \\\"x\\\"" polygon '[[0,0],[64,0],[64,48],[0,48]]'
    shape ant rectangle '[[192,144],[64.0,48]]'
    shape ant circle '[[320,240],[320,288]]'
    shape ant line '[[0,0],[9,9]]'
    shape ant point '[[0,0]]'
    shape ant polygon '[[0,0],[64,0]]'
    shape ant polygon '[["x",0],[64,0],[3,3]]'
    shape bee polygon '[[0,0],[64,0],[64,48]]' ',"group_id":7'
    shape bee polygon '[[320,240],[384,240],[384,288]]' ',"group_id":8'
    shape bee polygon '[[128,96],[64,96],[128,48]]' ',"group_id":7'
    printf '{"points":[[1,1],[2,2],[3,9]]}],"imagePath":"..\\\\elsewhere\\\\a.bmp",'
    printf '"imageData":"%s","imageHeight":480,"imageWidth":640}' "$(head -c 30000 /dev/urandom | od -An -tx1 | tr -d ' \n')"
} >labelme/a.json
printf '{"shapes":[],"imagePath":"renamed.jpg"}' >labelme/b.json
printf '{"shapes":[{"label":"ant"' >labelme/c.json
run 0 convert --data labelme --output lm --val 0
says out "from labelme"
says out 'classes: 0 ant, 1 bee, 2 zoo "x"'
says out "train: 2 pictures with 5 objects"
says out "1 part of polygons joined to one outline"
says out "left out: 2 objects: shapes that have no area"
says out "left out: 2 objects: without a box that can be read"
says out "left out: 1 files of annotations that cannot be read; the first: labelme/c.json:1"
says out "left out: 2 pictures: in the folder, without annotations"
same lm/labels/train/a.txt '2 0 0 0.1 0 0.1 0.1 0 0.1\n0 0.2 0.2 0.2 0.2\n0 0.5 0.5 0.15 0.2\n1 0 0 0.1 0 0.1 0.1 0.1 0.2 0.2 0.1 0.2 0.2\n1 0.5 0.5 0.6 0.5 0.6 0.6\n'
same lm/labels/train/b.txt ''

# ---- YOLO's rows without a YAML: Label Studio's, CVAT's
mkdir -p studio/images studio/labels
to=studio/images
i=0
while [ $i -lt 20 ]; do
    copies p$i.bmp
    printf '1 0.3333333 0.25 0.1234567 0.125\n' >studio/labels/p$i.txt
    i=$((i + 1))
done
printf '0 0.1 0.1 0.2 0.1 0.2 0.2\n' >studio/labels/p3.txt
printf '5 0.5 0.5 0.1 0.1\n' >studio/labels/p4.txt
rm studio/labels/p5.txt
printf '\357\273\277ant\r\ncow: "x"\r\n\r\n' >studio/classes.txt
run 0 convert --data studio --output st
says out 'classes: 0 ant (id 0), 1 cow: "x" (id 1)'
says out "train: 17 pictures with"
says out "val: 2 pictures with"
says out "val was chosen by names"
says out "left out: 1 files of annotations that cannot be read; the first: studio/labels/p4.txt:1: class 5 in a dataset of 2 classes"
same "$(ls st/labels/*/p0.txt)" '1 0.3333333 0.25 0.1234567 0.125\n'
same "$(ls st/labels/*/p3.txt)" '0 0.1 0.1 0.2 0.1 0.2 0.2\n'
same "$(ls st/labels/*/p5.txt)" ''
run 0 data check st/data.yaml
# The same pictures again, whatever comes beside them.
run 0 convert --data studio --output again
diff -r st again >differs || fail "another choice: $(head -n 3 differs)"
mkdir -p cvat/obj_train_data cvat/obj_Validation_data
to=cvat/obj_train_data
copies a.bmp
to=cvat/obj_Validation_data
copies b.bmp
printf '0 0.5 0.5 0.2 0.2\n' | tee cvat/obj_train_data/a.txt >cvat/obj_Validation_data/b.txt
printf 'ant\n' >cvat/obj.names
printf 'classes = 1\n' >cvat/obj.data
run 0 convert --data cvat --output cv
same cv/labels/train/a.txt '0 0.5 0.5 0.2 0.2\n'
same cv/labels/val/b.txt '0 0.5 0.5 0.2 0.2\n'
run 1 convert --data cvat --format labelme --output no
is_error "no class in it"
printf 'ant\n\nbee\n' >cvat/obj.names
run 1 convert --data cvat --output no
is_error "an empty line among the names"
rm cvat/obj.names
run 1 convert --data cvat --format yolo --output no
is_error "no file of the names of classes"
[ ! -e no ] || fail "something was written"
[ "$(find . -name '*.tmp-*' | wc -l)" = 0 ] || fail "a temporary folder was left behind"

# ---- round trips: YOLO -> COCO or VOC -> YOLO are the same labels
for split in train val test; do
    mkdir -p "set/images/$split" "set/labels/$split"
    to=set/images/$split
    copies "$split.1.bmp" "${split}_2.bmp" "$split 3.bmp"
    for name in "$split.1" "${split}_2"; do
        awk -v seed="$split" 'BEGIN {
            srand(length(seed))
            for (i = 0; i < 40; i++) {
                w = 0.01 + rand() / 2; h = 0.01 + rand() / 2
                printf "%d %.6f %.6f %.6f %.6f\n", int(rand() * 3), w / 2 + rand() * (1 - w), h / 2 + rand() * (1 - h), w, h
            } }' >"set/labels/$split/$name.txt"
    done
done
rm "set/images/train/train 3.bmp" # awk's fields have no blanks
rm "set/images/val/val 3.bmp"
mv "set/images/test/test 3.bmp" set/images/test/bare.bmp
"$source/tests/e2e/yolo_to.sh" set trip 640 480 ant bee cow
for format in coco voc; do
    run 0 convert --data trip/$format --output back_$format
    says out "train: 2 pictures with 80 objects"
    says out "test: 3 pictures with 80 objects"
    says_not out "left out"
    for label in set/labels/*/*; do
        paste -d ' ' "$label" "back_$format/${label#set/}" | awk '
            $1 != $6 { exit bad = 1 }
            { for (i = 2; i <= 5; i++) if ($i - $(i + 5) > 1e-6 || $(i + 5) - $i > 1e-6) exit bad = 1 }
            END { exit bad || NR != 40 }' || fail "$format: $label came back otherwise"
        n_checks=$((n_checks + 1))
    done
    run 0 data check back_$format/data.yaml
done

# ---- looked at, and trained on
run 0 train --data st/data.yaml --model yolo11n --imgsz 32 --batch 8 --epochs 1 --workers 1 --threads 1 --no-plots --no-val
done_well
