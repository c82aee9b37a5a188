/* sim.h: one schedule of the simulator: a cloud, a catalog, a disk and a clock in memory, whoever
 * disturbs them, and what must hold after every effect.
 *
 * An effect is what survives a process: an object copied, deleted or given a tier, a transaction of
 * the catalog, a sync or a truncation of the journal's files.  All chance is drawn from one seed,
 * in one thread; so a seed is a schedule, and an effect has a number. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rand.h"
#include "executor/apply.h"
#include "executor/store_memory.h"
#include "state/catalog_memory.h"
#include "tests/support/disk.h"

/* Two boxes of objects; cold and cool are one place in two access tiers. */
enum { BOX_HOT, BOX_COLD, BOXES };
enum { STORE_HOT, STORE_COLD, STORE_COOL, STORES };

#define KEYS_MAX 32
#define CONTENTS_MAX 256
#define VERSIONS_MAX 512
#define ROWS_MAX 16
#define UNITS_MAX 128
#define ZOMBIES_MAX 32
#define CRASHES_MAX 8
#define MANIFEST_MAX 16
#define FINAL_RUNS_MAX 12
#define COPY_TIMEOUT_US INT64_C(180000000)
#define COPY_ENDLESS_US INT64_C(1200000000) /* then the service gives it up by itself */

/* -- what is known of the cloud, kept beside it ------------------------------------------------ */

/* What stands at one key of one box. */
struct slot {
    bool there;
    bool is_copy;     /* ours, of what stands, or stood, elsewhere */
    unsigned content; /* 0: none, or a copy that is not whole */
};

/* Bytes that somebody else wrote, once. */
struct content {
    size_t key;
    bool destroyed; /* by whoever wrote over it, or removed it */
};

struct version {
    int box;
    unsigned content;
    char etag[40];
};

struct sim_row {
    char id[8];
    bool exists;
    int64_t mover; /* the unit whose cut-over moved it last; 0: none, or another hand did since */
    char location[96];
};

/* A unit as the journal was told of it. */
struct seen_unit {
    int64_t id;
    enum unit_kind kind;
    int source, target; /* boxes */
    const char *directory, *source_url, *target_url;
    struct unit saved;       /* as it was last written down */
    struct unit promised;    /* as it was last written down durably */
    uint32_t may_be;         /* bits of states: what a new process may find */
    bool found;              /* by the latest process */
    int64_t told_cleanup_us; /* the end of the grace that somebody was told; 0: nobody */
    /* what it is about to do, as protocol_step said */
    enum action_kind doing;
    unsigned looks;
    bool saw_target, saw_rows, saw_references; /* by that look */
    bool source_was_odd, target_had_more;      /* ever since it began */
    bool wants_all;                            /* and what is missing at the source is odd */
    /* the cut-over */
    bool committed; /* and nobody else has taken the rows away since */
    int64_t committed_us;
    struct {
        size_t key;
        unsigned content;
        bool spoiled;   /* at the target, after the cut-over, by another hand */
        bool rewritten; /* at the source, at any time, likewise or by a late copy */
    } manifest[MANIFEST_MAX];
    size_t manifest_count;
};

/* A request that is still on its way. */
enum zombie_kind { ZOMBIE_COPY, ZOMBIE_ABORT, ZOMBIE_REMOVE, ZOMBIE_TIER };
struct zombie {
    enum zombie_kind kind;
    int box;
    const char *key, *etag; /* of a copy: the source's; to abort one: its id */
    enum access_tier tier;
    int64_t unit;
    bool cleans; /* a target: what an attempt left there */
};

/* -- a schedule -------------------------------------------------------------------------------- */

/* What it is made of; each is drawn, so that many schedules lack most of it. */
struct traits {
    bool by_object, nested, keep_source, cools;
    enum unit_verify verify;
    int64_t grace_us;
    size_t directories, runs, page;
    bool computes; /* stores answer a copy with a digest */
    /* faults and actors: in how many of 1,000 chances; 0: never */
    unsigned busy, unknown, zombie, twice, refuse, deny, pend, list, cut, disk, crash;
    unsigned write, edit, refer, fail_over, skew, keep;
    unsigned patience; /* a late request arrives at one chance in so many; 0: at the next */
    unsigned acts;     /* of actors, at most */
    bool restores, repeats, undoes;
    bool swings; /* other hands write one object only, now these bytes, now those */
};

enum crash_kind { CRASH_KILL, CRASH_POWER };
struct crash {
    uint64_t effect;
    enum crash_kind kind;
};

/* What came of a schedule, or of many. */
struct counts {
    uint64_t schedules, effects, runs, crashes, zombies, acts, units, marked;
    uint64_t states[UNIT_STATES], reasons[UNIT_REASONS], outcomes[APPLY_OUTCOMES];
};

struct sim {
    uint64_t seed;
    struct rand rand; /* of everything but crashes */
    struct rand crash_rand;
    struct arena arena;
    struct traits traits;

    struct clock clock, store_clock;
    int64_t now_us, skew_us, db_skew_us;

    /* the world */
    struct store_memory *boxes[BOXES];
    struct store *wires[BOXES];
    struct catalog_memory *table;
    struct catalog *wire;
    struct catalog_config config;
    struct policy_store definitions[STORES];
    struct place places[STORES];
    struct policy policy;
    struct policies policies;
    struct store *stores[STORES];
    atomic_bool stop;
    struct counters counters;
    struct hands hands;

    /* what is known of it */
    const char *keys[KEYS_MAX];
    size_t key_count;
    struct slot slots[BOXES][KEYS_MAX];
    struct content contents[CONTENTS_MAX];
    unsigned content_count;
    struct version versions[VERSIONS_MAX];
    size_t version_count;
    const char *directories[4];
    size_t directory_count;
    struct sim_row rows[ROWS_MAX];
    size_t row_count;
    struct seen_unit units[UNITS_MAX];
    size_t unit_count;
    const char *referred_url; /* by another table; NULL: nothing is */
    bool keeps;               /* the policy, all sources */

    struct zombie zombies[ZOMBIES_MAX];
    size_t zombie_count;
    struct catalog_cut *pending; /* a transaction whose COMMIT was sent; NULL: none */
    bool pending_commits;
    enum store_result inner; /* the fault of the store's next item: PENDING, or DONE */
    bool inner_applies;

    uint64_t requests; /* that change something, or tried to */
    bool dead;         /* the process; what it still says and does is nothing */
    bool is_given;     /* the traits are, and are not drawn */
    bool quiet;        /* no faults and no actors any more */
    uint64_t effects;
    const struct crash *crashes; /* NULL: drawn */
    size_t crash_count, crash_next;
    unsigned acts_left, crashes_left;

    struct plan_action *plan; /* of the latest run that had one, and when it was made */
    size_t plan_count;
    int64_t plan_made_us;
    int64_t run;
    bool finished_clean; /* the latest run of a plan moved all of it, and nobody disturbed */

    bool traced;
    bool no_barriers; /* those are not asserted by themselves */
    bool failed;
    char failure[512];
    struct counts counts;
};

/* -- scenario.c -------------------------------------------------------------------------------- */
/* Once a process: the disk with an empty journal, and where it is. */
void scenario_open(void);
void scenario_close(void);
/* Play the schedule of sim->seed to its end, or until something is violated: sim->failed. */
void scenario_play(struct sim *sim);
/* A small case without faults and actors, for crash points; NULL: there are no more. */
const char *scenario_case(size_t index, struct traits *traits);
void scenario_draw(struct sim *sim);

/* -- cloud.c ----------------------------------------------------------------------------------- */
void cloud_make(struct sim *sim);
void cloud_free(struct sim *sim);
size_t cloud_key(struct sim *sim, const char *key); /* its index, new or known */
/* What stands there has this etag from now on; which bytes had which etag, 0: unknown. */
void cloud_note_version(struct sim *sim, int box, size_t key);
/* Units whose source it is have not seen it come: by another hand, or by an earlier unit's request
 * that was late. */
void cloud_note_written(struct sim *sim, int box, size_t key);
unsigned cloud_content(const struct sim *sim, int box, const char *etag);
/* Another hand writes new bytes, or (content) some that once stood there, or removes them. */
void cloud_write(struct sim *sim, int box, size_t key, unsigned content);
void cloud_erase(struct sim *sim, int box, size_t key);
/* Between a request and its effect: time passes, late requests arrive, others act. */
void cloud_tick(struct sim *sim);
void cloud_flush(struct sim *sim); /* every late request arrives */

/* -- wire.c: the store between the product and its box ----------------------------------------- */
struct store *wire_make(struct sim *sim, int box);
void wire_deliver(struct sim *sim, const struct zombie *zombie);

/* -- table.c: the catalog between the product and its table ------------------------------------ */
struct catalog *table_wire_make(struct sim *sim);
void table_settle(struct sim *sim); /* what was sent and not answered is committed, or not */
/* Another hand edits a row; NULL: it is deleted. */
void table_edit(struct sim *sim, struct sim_row *row, const char *location);
const char *table_url(const struct sim *sim, int box, const char *key);

/* -- actors.c ---------------------------------------------------------------------------------- */
void actors_act(struct sim *sim);
void actors_between_runs(struct sim *sim);

/* -- plans.c: plans, as apply reads them --------------------------------------------------------
 */
/* Moves from one store to another of what the catalog has there now, and reaps of what is due. */
void plans_make(struct sim *sim, uint16_t source, uint16_t target);
/* Rollbacks of what is in its grace, or repairs of what has rows at its source again. */
void plans_name(struct sim *sim, enum plan_kind kind);
/* The plan of sim->plan, which only a run may read. */
struct plan_reader *plans_open(struct sim *sim);

/* -- spy.c: what the product tells itself -------------------------------------------------------
 */
extern struct sim *spy_sim;
void spy_promise_all(struct sim *sim); /* all that was written down is durable */
struct seen_unit *spy_unit(struct sim *sim, int64_t id);
/* The open unit whose source, or target, covers the key in the box; NULL: none. */
struct seen_unit *spy_unit_at(struct sim *sim, int box, const char *key, bool at_target);
/* Likewise: the one that copies to there. */
struct seen_unit *spy_copier(struct sim *sim, int box, const char *key);

/* -- check.c ----------------------------------------------------------------------------------- */
void check_fail(struct sim *sim, const char *fmt, ...) PRINTF(2, 3);
/* An effect has come to pass: it has a number, everything holds, and the process may end here. */
void check_effect(struct sim *sim, const char *fmt, ...) PRINTF(2, 3);
void check_written(struct sim *sim, const char *what); /* likewise, of the journal's files */
/* zombie: the request, if it came late; NULL: in time. */
void check_copied(struct sim *sim, int box, size_t key, const struct slot *before,
                  const struct zombie *zombie);
/* Something stands at the unit's source that is not in its manifest, or, if it is to be whole,
 * something of that is not there; and something stands at its target that has no place there. */
bool check_source_is_odd(const struct sim *sim, const struct seen_unit *unit, bool whole);
bool check_target_has_more(const struct sim *sim, const struct seen_unit *unit);
bool check_has_row_at(const struct sim *sim, const char *url);
/* Another hand has acted: what is as it was meant to be for an instant may be seen so. */
void check_acted(struct sim *sim);
void check_removed(struct sim *sim, int box, size_t key, const struct slot *before,
                   const struct zombie *zombie);
void check_committed(struct sim *sim, const struct catalog_cut *cut);
/* A new process has read the journal. */
void check_journal(struct sim *sim);
/* It was told when the grace ends, and no other cut-over begins another. */
bool check_grace_is_fixed(const struct unit *before, const struct unit *after);
void check_report(struct sim *sim, const struct task *task, enum apply_outcome outcome);
void check_rest(struct sim *sim);
/* Nobody disturbed it, and no store refused anything for good: then all ends well. */
bool check_is_peaceful(const struct sim *sim);
/* Its rows are at its target: whoever had brought these objects to its source has no say now. */
void check_release(struct sim *sim, const struct seen_unit *unit);

/* -- trace.c ----------------------------------------------------------------------------------- */
void trace(const struct sim *sim, const char *fmt, ...) PRINTF(2, 3);

/* -- reuse.c ----------------------------------------------------------------------------------- */
void reuse_end(bool off); /* the connection that is kept is closed; off: none is kept any more */

/* -- crashes.c --------------------------------------------------------------------------------- */
/* Every crash point of every small case, all pairs of the smallest, and so many random triples. */
bool crashes_run(uint64_t triples, bool traced);

static inline bool sim_chance(struct sim *sim, unsigned per_mille)
{
    return per_mille > 0 && rand_below(&sim->rand, 1000) < per_mille;
}
static inline size_t sim_draw(struct sim *sim, size_t bound)
{
    return (size_t)rand_below(&sim->rand, bound);
}
#endif
