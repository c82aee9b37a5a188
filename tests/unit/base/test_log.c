/* The log: levels, fields, and one caller of the sink at a time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct seen {
    size_t count;
    enum log_level level;
    char line[200];
    int inside, inside_max;
};

static void watch(void *context, enum log_level level, const char *event,
                  const struct log_field *fields, size_t count)
{
    struct seen *seen = context;
    seen->inside++;
    if (seen->inside > seen->inside_max)
        seen->inside_max = seen->inside;
    seen->count++;
    seen->level = level;
    size_t length = (size_t)snprintf(seen->line, sizeof seen->line, "%s", event);
    for (size_t i = 0; i < count; i++) {
        char *rest = seen->line + length;
        if (fields[i].text)
            length += (size_t)snprintf(rest, sizeof seen->line - length, " %s=%s", fields[i].name,
                                       fields[i].text);
        else
            length += (size_t)snprintf(rest, sizeof seen->line - length, " %s=%lld", fields[i].name,
                                       (long long)fields[i].number);
    }
    seen->inside--;
}

static void before_it_is_opened_events_go_nowhere(void **state)
{
    (void)state;
    LOG(LOG_ERROR, "unheard", LOG_NUMBER("n", 1));
    log_open(LOG_TRACE, NULL, NULL);
    LOG(LOG_ERROR, "unheard", LOG_NUMBER("n", 1));
}

static void events_carry_their_fields(void **state)
{
    (void)state;
    struct seen seen = {0};
    log_open(LOG_INFO, watch, &seen);
    LOG(LOG_INFO, "run-started", LOG_TEXT("run", "r1"), LOG_NUMBER("units", -3));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.level, LOG_INFO);
    assert_string_equal(seen.line, "run-started run=r1 units=-3");
    log_write(LOG_ERROR, "bare", NULL, 0);
    assert_string_equal(seen.line, "bare");
    log_open(LOG_ERROR, NULL, NULL);
}

static void only_what_the_level_asks_for_is_heard(void **state)
{
    (void)state;
    for (int level = LOG_ERROR; level <= LOG_TRACE; level++) {
        struct seen seen = {0};
        log_open((enum log_level)level, watch, &seen);
        for (int event = LOG_ERROR; event <= LOG_TRACE; event++)
            LOG((enum log_level)event, "event", LOG_NUMBER("n", 1));
        assert_int_equal(seen.count, level + 1);
        assert_int_equal(seen.level, level);
    }
    log_open(LOG_ERROR, NULL, NULL);
}

static void *write_many(void *context)
{
    (void)context;
    for (int i = 0; i < 5000; i++)
        LOG(LOG_INFO, "event", LOG_TEXT("who", "a thread"));
    return NULL;
}

static void threads_take_turns(void **state)
{
    (void)state;
    struct seen seen = {0};
    pthread_t threads[4];
    log_open(LOG_INFO, watch, &seen);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_open(LOG_ERROR, NULL, NULL);
    assert_int_equal(seen.count, 20000);
    assert_int_equal(seen.inside_max, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_it_is_opened_events_go_nowhere),
        cmocka_unit_test(events_carry_their_fields),
        cmocka_unit_test(only_what_the_level_asks_for_is_heard),
        cmocka_unit_test(threads_take_turns),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
