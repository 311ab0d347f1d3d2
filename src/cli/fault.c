/* fault.c: what is said of a wrong value on the command line. */
#include "cli.h"

enum { NAME_BYTES = CLI_NAME_BYTES };

static bool bad_value(vg_error *err, const vg_option *o, const char *text)
{
    static const char *const wanted[] = {[VG_OPTION_BOOL] = "True or False",
                                         [VG_OPTION_SWITCH] = "True or False",
                                         [VG_OPTION_INT] = "a whole number",
                                         [VG_OPTION_FLOAT] = "a number",
                                         [VG_OPTION_SIZE] = "one or two whole numbers",
                                         [VG_OPTION_BYTES] = "a size such as 512M or 1.5G",
                                         [VG_OPTION_INTS] = "whole numbers such as 0,2,5",
                                         [VG_OPTION_CLASSES] = "classes such as 0,2,person",
                                         [VG_OPTION_WORDS] = "a command: that stands behind --"};
    cli_error_set(err, VG_ERR_ARGUMENT, "\"%s\" is not %s", text, wanted[o->kind]);
    cli_error_text(err->where, "option --%s", o->name);
    if (o->kind == VG_OPTION_BOOL || o->kind == VG_OPTION_SWITCH)
        cli_error_text(err->mend, "--%s, or --no-%s", o->name, o->name);
    else if (o->kind == VG_OPTION_BYTES)
        cli_error_text(err->mend, "--%s 512M", o->name);
    else if (o->kind == VG_OPTION_SIZE)
        cli_error_text(err->mend, "--%s 640, or --%s 480,640 (height, width), %g to %g", o->name,
                       o->name, o->least, o->most);
    else if (o->kind == VG_OPTION_INTS || o->kind == VG_OPTION_CLASSES)
        cli_error_text(err->mend, "--%s 0,2,5 (at most %d of them)", o->name,
                       (int)VG_OPTION_MOST_INTS);
    else
        cli_error_text(err->mend, "a number from %g to %g", o->least, o->most);
    return false;
}

static bool out_of_range(vg_error *err, const vg_option *o, const char *text)
{
    cli_error_set(err, VG_ERR_ARGUMENT, "%s is outside %.10g..%.10g", text, o->least, o->most);
    cli_error_text(err->where, "option --%s", o->name);
    cli_error_text(err->mend, "a number from %.10g to %.10g", o->least, o->most);
    return false;
}

static bool not_among(vg_error *err, const vg_option *o, const char *text)
{
    cli_error_set(err, VG_ERR_ARGUMENT, "--%s %s: %s", o->name, text, o->only);
    cli_error_text(err->where, "option --%s", o->name);
    cli_error_text(err->mend, "--%s with one of %s", o->name, o->choices);
    return false;
}

bool cli_fault(vg_error *err, const vg_option *o, const char *text, vg_option_fault fault)
{
    switch (fault) {
    case VG_OPTION_GOOD:
        return true;
    case VG_OPTION_OUTSIDE:
        return out_of_range(err, o, text);
    case VG_OPTION_NO_CHOICE:
        return not_among(err, o, text);
    case VG_OPTION_WRONG_KIND:
    case VG_OPTION_TOO_LONG:
        break;
    }
    return bad_value(err, o, text);
}

bool cli_fault_missing(vg_error *err, const vg_option *o)
{
    char name[NAME_BYTES];
    const char *value = vg_option_value(o);
    cli_name_typed(name, o->name);
    cli_error_set(err, VG_ERR_ARGUMENT, "--%s has no value", name);
    cli_error_text(err->where, "option --%s", name);
    cli_error_text(err->mend, "--%s %s", name, value != NULL ? value : "");
    return false;
}
