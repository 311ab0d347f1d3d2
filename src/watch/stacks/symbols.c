/* symbols.c: a libdw session per module. The outermost function's name comes from the symbol table,
 * inlined ones from the debugging information, each with the line at which the next was called. */
#include "symbols.h"

#include <string.h>

static size_t plain(watch_symbol *out, const char *path, uint64_t address)
{
    out->file[0] = '\0';
    out->line = 0;
    base_format(out->function, sizeof out->function, "%s+0x%llx",
                path[0] != '\0' ? base_path_name(path) : "[unknown]", (unsigned long long)address);
    return 1;
}

#ifdef WATCH_HAS_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

bool watch_symbols_are_there(void)
{
    return true;
}

static const Dwfl_Callbacks callbacks = {.find_debuginfo = dwfl_standard_find_debuginfo,
                                         .section_address = dwfl_offline_section_address,
                                         .find_elf = dwfl_build_id_find_elf};

static int take_first(Dwfl_Module *m, void **user, const char *name, Dwarf_Addr start, void *out)
{
    (void)user, (void)name, (void)start;
    *(Dwfl_Module **)out = m;
    return DWARF_CB_ABORT;
}

/* The only module of its session; bias: what libdw added to the file's addresses. */
static Dwfl_Module *open_module(watch_symbols *s, const char *path, Dwarf_Addr *bias)
{
    const uint64_t hash = base_hash(BASE_HASH_START, path, strlen(path));
    Dwfl *dwfl = NULL;
    Dwfl_Module *m = NULL;
    for (size_t i = 0; i < s->n_open; i++)
        if (s->open[i].path_hash == hash)
            dwfl = s->open[i].session;
    if (dwfl == NULL && s->n_open < WATCH_MOST_OPEN && (dwfl = dwfl_begin(&callbacks)) != NULL) {
        dwfl_report_begin(dwfl);
        dwfl_report_offline(dwfl, path, path, -1);
        dwfl_report_end(dwfl, NULL, NULL);
        s->open[s->n_open].path_hash = hash;
        s->open[s->n_open++].session = dwfl;
    }
    if (dwfl != NULL)
        dwfl_getmodules(dwfl, take_first, &m, 0);
    return m != NULL && dwfl_module_getelf(m, bias) != NULL ? m : NULL;
}

static void put_file(watch_symbol *out, const char *file, int line)
{
    base_format(out->file, sizeof out->file, "%s", file != NULL ? file : "");
    out->line = file != NULL ? line : 0;
}

static int attribute_number(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute a;
    Dwarf_Word value = 0;
    return dwarf_formudata(dwarf_attr_integrate(die, name, &a), &value) == 0 ? (int)value : 0;
}

/* scopes: innermost first. An inlined one says where it was called: that is the line of the next.
 */
static size_t put_inlined(watch_symbol out[WATCH_MOST_INLINED], Dwarf_Die *cu, Dwarf_Addr address)
{
    Dwarf_Die *scopes = NULL;
    Dwarf_Files *files = NULL;
    size_t n = 0;
    const int n_scopes = dwarf_getscopes(cu, address, &scopes);
    dwarf_getsrcfiles(cu, &files, NULL);
    for (int i = 0; i < n_scopes && n + 1 < WATCH_MOST_INLINED; i++) {
        if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
            continue;
        const char *name = dwarf_diename(&scopes[i]);
        base_format(out[n].function, sizeof out[n].function, "%s", name != NULL ? name : "?");
        const int file = attribute_number(&scopes[i], DW_AT_call_file);
        put_file(&out[n + 1],
                 files != NULL && file > 0 ? dwarf_filesrc(files, (size_t)file, NULL, NULL) : NULL,
                 attribute_number(&scopes[i], DW_AT_call_line));
        n++;
    }
    free(scopes); /* libdw's own */
    return n;
}

size_t watch_symbols_find(watch_symbol out[WATCH_MOST_INLINED], watch_symbols *s, const char *path,
                          uint64_t address)
{
    Dwarf_Addr bias = 0, debug_bias = 0;
    Dwfl_Module *m = path[0] != '\0' ? open_module(s, path, &bias) : NULL;
    if (m == NULL)
        return plain(out, path, address);
    int line = 0;
    size_t n = 0;
    out[0].file[0] = '\0';
    out[0].line = 0;
    Dwfl_Line *at = dwfl_module_getsrc(m, address + bias);
    if (at != NULL)
        put_file(&out[0], dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL), 0);
    out[0].line = line;
    Dwarf_Die *cu = dwfl_module_addrdie(m, address + bias, &debug_bias);
    if (cu != NULL)
        n = put_inlined(out, cu, address + bias - debug_bias);
    GElf_Sym symbol;
    GElf_Off offset = 0;
    const char *name = dwfl_module_addrinfo(m, address + bias, &offset, &symbol, NULL, NULL, NULL);
    const bool within = name != NULL && (symbol.st_size == 0 || offset < symbol.st_size);
    if (within)
        base_format(out[n].function, sizeof out[n].function, "%s", name);
    else
        base_format(out[n].function, sizeof out[n].function, "%s+0x%llx", base_path_name(path),
                    (unsigned long long)address);
    return n + 1;
}

void watch_symbols_fini(watch_symbols *s)
{
    for (size_t i = 0; i < s->n_open; i++)
        dwfl_end(s->open[i].session);
    *s = (watch_symbols){0};
}

#else

bool watch_symbols_are_there(void)
{
    return false;
}

size_t watch_symbols_find(watch_symbol out[WATCH_MOST_INLINED], watch_symbols *s, const char *path,
                          uint64_t address)
{
    (void)s;
    return plain(out, path, address);
}

void watch_symbols_fini(watch_symbols *s)
{
    *s = (watch_symbols){0};
}

#endif
