#include "engine/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "engine/text.h"

struct cut_row {
    struct cut_row *next;
    size_t size_bytes;
    char bytes[];
};

void cut_init(struct cut *cut, FILE *out, uint64_t max_bytes)
{
    *cut = (struct cut){.out = out, .left_bytes = UINT64_MAX, .head_bytes = UINT64_MAX};
    if (max_bytes == UINT64_MAX)
        return;
    cut->left_bytes = max_bytes > CUT_NOTE_BYTES ? max_bytes - CUT_NOTE_BYTES : 0;
    cut->head_bytes = cut->left_bytes / 2;
}

static void drop_first(struct cut *cut)
{
    struct cut_row *row = cut->first;
    cut->kept_bytes -= row->size_bytes;
    cut->first = row->next;
    free(row);
}

static void keep(struct cut *cut, const char *bytes, size_t size_bytes)
{
    struct cut_row *row = malloc(sizeof(*row) + size_bytes);
    if (row == NULL)
        err_abort("out of memory");
    row->next = NULL;
    row->size_bytes = size_bytes;
    memcpy(row->bytes, bytes, size_bytes);
    if (cut->first == NULL)
        cut->first = row;
    else
        cut->last->next = row;
    cut->last = row;
    cut->kept_bytes += size_bytes;
}

void cut_add(struct cut *cut, const char *row, size_t size_bytes)
{
    if (size_bytes <= cut->head_bytes) {
        fwrite(row, 1, size_bytes, cut->out);
        cut->head_bytes -= size_bytes;
        cut->left_bytes -= size_bytes;
        return;
    }
    cut->head_bytes = 0; /* what comes behind it is the end, or the middle */
    keep(cut, row, size_bytes);
    while (cut->kept_bytes > cut->left_bytes) {
        drop_first(cut);
        cut->count++;
    }
}

void cut_end(struct cut *cut, const char *before, const char *after)
{
    if (cut->count > 0)
        fprintf(cut->out, "%s.. %s cut%s\n", before, text_plural(cut->count, "row"), after);
    while (cut->first != NULL) {
        fwrite(cut->first->bytes, 1, cut->first->size_bytes, cut->out);
        drop_first(cut);
    }
}
