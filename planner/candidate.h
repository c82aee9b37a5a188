/* candidate.h: a directory, or an object, that some policy wants to move, as the first pass leaves
 * it in the spool: the facts in the head of its record, its rows in the body. */
#ifndef PLANNER_CANDIDATE_H
#define PLANNER_CANDIDATE_H

#include "planner/pack.h"
#include "planner/plan.h"

struct arena;

/* A policy that wins the directory, and how many of its rows that policy selects: funnels and
 * guards count by it. */
struct candidate_share {
    uint16_t policy;
    uint64_t rows;
};

struct candidate {
    uint16_t                place;  /* the first of its stores: by it candidates are in order     */
    uint16_t                store;  /* that it is in                                              */
    uint16_t                target; /* POLICY_NO_INDEX in a conflict                              */
    uint16_t                winner;        /* the first policy of the highest priority           */
    const char             *directory;     /* raw key; ends in '/', or is an object's            */
    enum plan_reason        reason;        /* what the rows themselves say against it            */
    const char             *detail;
    struct policy_terms     terms;
    uint64_t                rows, bytes;   /* of the catalog                                     */
    int64_t                 oldest_us, newest_us; /* INT64_MAX, INT64_MIN: no row has a time     */
    uint64_t                row_count;     /* in the body: all, or those in the way              */
    struct candidate_share *shares;        /* none if every row that is selected is held         */
    size_t                  share_count;
};
/* Would it go to another store of the place where it is? */
bool candidate_retiers(const struct candidate *candidate, const struct places *places);

void candidate_pack(const struct candidate *candidate, struct buf *head);
/* Everything is copied to the arena. */
MUST_USE bool candidate_unpack(struct packed *head, struct arena *arena,
                               struct candidate *candidate, struct err *err);

struct candidate_row {
    const char *id;
    const char *tail;    /* of the location, behind the directory, as it is spelled       */
    const char *because; /* "" if nobody selects it: it moves with the others             */
    uint16_t    policy;  /* whose because it is                                           */
};
void candidate_pack_row(const struct candidate_row *row, struct buf *body);
/* Texts are borrowed from the body. */
struct candidate_row candidate_unpack_row(struct packed *body);
#endif
