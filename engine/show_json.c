#include "engine/show_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

static void put_line(FILE *out, char *line, size_t number, bool *in_actions)
{
    line[strcspn(line, "\n")] = '\0';
    bool last = str_starts(line, "{\"summary\"");
    if (number == 0)
        fprintf(out, "{\"format_version\":1,\"plan\":%s,\"actions\":[", line);
    else if (last)
        fprintf(out, "],\"end\":%s}\n", line);
    else
        fprintf(out, "%s%s", *in_actions ? "," : "", line);
    *in_actions = number > 0 && !last;
}

bool show_json_plan(FILE *out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    bool in_actions = false;
    if (file == NULL)
        return file_error(err, errno, "opening %s", path);
    for (size_t number = 0; getline(&line, &capacity, file) > 0; number++)
        put_line(out, line, number, &in_actions);
    free(line);
    fclose(file);
    return true;
}
