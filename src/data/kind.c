/* kind.c: what the kinds of labels ask of a dataset's file. */
#include "kind.h"

const char *data_kind_name(const data_kind *kind)
{
    return kind->name;
}

const data_kind *data_spec_kind(const data_spec *s)
{
    return data_spec_is_folder(s)         ? &DATA_FOLDERS
           : data_spec_keypoints(s).n > 0 ? &DATA_KEYPOINTS
                                          : &DATA_BOXES;
}

vg_status label_form_make(label_form *out, const data_kind *kind, const data_spec *spec,
                          vg_error *err)
{
    if (!kind)
        kind = &DATA_BOXES;
    *out = (label_form){.kind = kind, .nc = data_spec_nc(spec)};
    if (kind->is_folders != data_spec_is_folder(spec))
        return base_fail(err, VG_ERR_FORMAT, data_spec_source(spec),
                         kind->is_folders ? "give the folder that holds train/<class>/... and "
                                            "val/<class>/..."
                                          : "give the dataset's YAML",
                         kind->is_folders
                             ? "a file where a folder of classes is wanted"
                             : "a folder where a dataset's file is wanted: its labels are %s",
                         kind->name);
    if (!kind->has_keypoints)
        return VG_OK;
    const data_keypoint_shape shape = data_spec_keypoints(spec);
    if (shape.n == 0)
        return base_fail(err, VG_ERR_FORMAT, data_spec_source(spec),
                         "add the number of keypoints and of numbers for each: kpt_shape: [17, 3]",
                         "the dataset has no kpt_shape");
    out->n_keypoints = shape.n;
    out->keypoint_dims = shape.dims;
    return VG_OK;
}
