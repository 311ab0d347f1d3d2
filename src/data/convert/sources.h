/* sources.h: the formats that are read. A new one is its file and a line in sources.c. For this
 * folder. */
#ifndef DATA_CONVERT_SOURCES_H
#define DATA_CONVERT_SOURCES_H

#include "catalogue.h"

/* What is at the source: all files of the folder, or the one file. */
typedef struct source_files {
    const char *root;   /* the folder where pictures are looked for */
    const char **paths; /* (n) sorted */
    size_t n;
} source_files;

typedef struct convert_source {
    const char *name, *help;
    /* How sure it is of files of its own, where there are several formats' files: more is surer. */
    int sureness;
    /* Its own is a file with that suffix in whose beginning or, where lists or pictures are long,
     * end so many of the words stand. Or, where no file says so, what this function looks for. */
    const char *suffix;
    const char *words[3];
    int least_words;
    bool (*is_there)(const source_files *s);
    vg_status (*read)(catalogue *c, const source_files *s, vg_error *err);
    /* A file tells of one picture, whose name it has where the picture it names is not there. */
    bool file_names_picture;
    bool has_keypoints;
    bool is_turned; /* polygons are turned boxes: corners beyond the edge stay there */
} convert_source;

extern const convert_source *const convert_sources[]; /* ends with NULL */

extern const convert_source convert_source_coco;
extern const convert_source convert_source_voc;
extern const convert_source convert_source_labelme;
extern const convert_source convert_source_dota;
extern const convert_source convert_source_yolo;

/* path below root, for splits: what stands above the source says nothing. */
const char *source_below(const source_files *s, const char *path);
/* What the folders between root and a file say: vg_split, or CATALOGUE_NO_SPLIT. */
int source_split(const source_files *s, const char *path);
/* A look at both ends of a file; what they hold is read once more by who reads all of it. */
bool source_is_own(const convert_source *source, const char *path);
/* How sure a format is that some of the files are its own; 0: none are. */
int source_knows(const convert_source *source, const source_files *s);
bool source_has_suffix(const char *path, const char *suffix);

/* One file's text: what fuzz targets reach. A file that cannot be read is left out, and the
 * catalogue as it was. Errors: VG_ERR_MEMORY, VG_ERR_LIMIT. */
vg_status source_voc_read_text(catalogue *c, const char *file, int split, const char *text,
                               size_t n, vg_error *err);
vg_status source_labelme_read_text(catalogue *c, const char *file, int split, const char *text,
                                   size_t n, vg_error *err);
vg_status source_dota_read_text(catalogue *c, const char *file, int split, const char *text,
                                size_t n, vg_error *err);
/* A COCO file's; errors also VG_ERR_FORMAT. */
vg_status source_coco_read_text(catalogue *c, const char *file, int split, const char *text,
                                size_t n, vg_error *err);

#endif
