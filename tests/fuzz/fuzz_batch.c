/* Any bytes as the reply to a batch: what is answered has a status, all is answered if the reply
 * counts as good, and a reply that is cut off behind a line never says anything else of a part;
 * never a crash.  The first byte is the number of parts; the boundary is "b".                    */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "executor/azure/batch.h"

#define FUZZ_TYPE "multipart/mixed; boundary=b"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

static bool fuzz_read(const uint8_t *data, size_t size, struct batch_answer *answers, size_t count)
{
    struct err err = {0};
    bool done = batch_read(FUZZ_TYPE, (const char *)data, size, answers, count, &err);
    fuzz_require(done == (err.kind == ERR_NONE));
    for (size_t i = 0; i < count; i++) {
        fuzz_require(answers[i].status == 0 ||
                     (answers[i].status >= 100 && answers[i].status < 600));
        fuzz_require(!done || answers[i].status != 0);
        fuzz_require(memchr(answers[i].code, '\0', sizeof answers[i].code) != NULL);
    }
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_answer whole[BATCH_PARTS_MAX], cut[BATCH_PARTS_MAX];
    if (size == 0)
        return 0;
    size_t count = (size_t)data[0] + 1;
    if (!fuzz_read(data + 1, size - 1, whole, count))
        return 0;
    /* At the end of a line: within one, a cut may make a delimiter of what was none. */
    const uint8_t *newline = memrchr(data + 1, '\n', (size - 1) / 2);
    fuzz_read(data + 1, newline ? (size_t)(newline - data) : 0, cut, count);
    for (size_t i = 0; i < count; i++)
        fuzz_require(cut[i].status == 0 || cut[i].status == whole[i].status);
    return 0;
}
