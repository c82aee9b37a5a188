#include "executor/http/retry.h"

#include "base/rand.h"
#include "base/str.h"
#include "base/when.h"
#include "executor/http/http.h"

bool retry_is_throttled(int status)
{
    return status == 429 || status == 503;
}

/* These may come after the work was done; 429 and 503 refuse it. */
bool retry_is_in_doubt(const struct retry_end *end)
{
    int status = end->status;
    if (end->failure == ERR_NONE)
        return status == 408 || status == 500 || status == 502 || status == 504;
    return end->failure == ERR_UNKNOWN_OUTCOME;
}

bool retry_is_wanted(const struct retry_end *end)
{
    if (end->tries >= HTTP_TRIES_MAX)
        return false;
    if (retry_is_in_doubt(end))
        return end->repeatable;
    return end->failure == ERR_BUSY ||
           (end->failure == ERR_NONE && retry_is_throttled(end->status));
}

int64_t retry_wait_us(uint32_t tries, int64_t after_us, struct rand *rand)
{
    int64_t backoff_us = RETRY_FIRST_US;
    for (uint32_t i = 1; i < tries && backoff_us < RETRY_LONGEST_US; i++)
        backoff_us *= 2;
    if (backoff_us > RETRY_LONGEST_US)
        backoff_us = RETRY_LONGEST_US;
    int64_t half_us = backoff_us / 2;
    int64_t wait_us = half_us + (int64_t)rand_below(rand, (uint64_t)half_us + 1);
    return wait_us > after_us ? wait_us : after_us;
}

int64_t retry_after_us(const char *value, int64_t now_us)
{
    struct err ignored;
    uint64_t seconds;
    int64_t instant_us, after_us;
    if (str_to_u64(value, &seconds))
        after_us = seconds > HTTP_RETRY_AFTER_MAX_US / WHEN_SECOND_US
                       ? HTTP_RETRY_AFTER_MAX_US
                       : (int64_t)seconds * WHEN_SECOND_US;
    else if (when_http_read(value, &instant_us, &ignored))
        after_us = instant_us - now_us;
    else
        return 0;
    if (after_us < 0)
        return 0;
    return after_us < HTTP_RETRY_AFTER_MAX_US ? after_us : HTTP_RETRY_AFTER_MAX_US;
}
