#include "planner/candidate.h"

#include "base/arena.h"
#include "base/buf.h"

#define SHARES_MAX POLICY_MAX

bool candidate_retiers(const struct candidate *candidate, const struct places *places)
{
    return candidate->target != POLICY_NO_INDEX &&
           place_first(places, candidate->target) == candidate->place;
}

void candidate_pack(const struct candidate *candidate, struct buf *head)
{
    pack_number(head, candidate->place);
    pack_number(head, candidate->store);
    pack_number(head, candidate->target);
    pack_number(head, candidate->winner);
    pack_text(head, candidate->directory);
    pack_number(head, candidate->reason);
    pack_text(head, candidate->detail);
    pack_number(head, candidate->terms.verify);
    pack_number(head, candidate->terms.keep_source);
    pack_number(head, (uint64_t)candidate->terms.grace_us);
    pack_number(head, (uint64_t)candidate->terms.residency_us);
    pack_number(head, candidate->terms.windows);
    pack_number(head, candidate->rows);
    pack_number(head, candidate->bytes);
    pack_number(head, (uint64_t)candidate->oldest_us);
    pack_number(head, (uint64_t)candidate->newest_us);
    pack_number(head, candidate->row_count);
    pack_number(head, candidate->share_count);
    for (size_t i = 0; i < candidate->share_count; i++) {
        pack_number(head, candidate->shares[i].policy);
        pack_number(head, candidate->shares[i].rows);
    }
}

bool candidate_unpack(struct packed *head, struct arena *arena, struct candidate *candidate,
                      struct err *err)
{
    candidate->place = (uint16_t)pack_take_number(head);
    candidate->store = (uint16_t)pack_take_number(head);
    candidate->target = (uint16_t)pack_take_number(head);
    candidate->winner = (uint16_t)pack_take_number(head);
    candidate->directory = arena_copy(arena, pack_take_text(head));
    candidate->reason = (enum plan_reason)pack_take_number(head);
    candidate->detail = arena_copy(arena, pack_take_text(head));
    candidate->terms.verify = (enum unit_verify)pack_take_number(head);
    candidate->terms.keep_source = pack_take_number(head) != 0;
    candidate->terms.grace_us = (int64_t)pack_take_number(head);
    candidate->terms.residency_us = (int64_t)pack_take_number(head);
    candidate->terms.windows = pack_take_number(head);
    candidate->rows = pack_take_number(head);
    candidate->bytes = pack_take_number(head);
    candidate->oldest_us = (int64_t)pack_take_number(head);
    candidate->newest_us = (int64_t)pack_take_number(head);
    candidate->row_count = pack_take_number(head);
    candidate->share_count = pack_take_number(head);
    if (candidate->share_count > SHARES_MAX)
        head->broken = true;
    if (!pack_check(head, err))
        return false;
    candidate->shares = arena_make(arena, candidate->share_count * sizeof(*candidate->shares));
    for (size_t i = 0; i < candidate->share_count; i++) {
        candidate->shares[i].policy = (uint16_t)pack_take_number(head);
        candidate->shares[i].rows = pack_take_number(head);
    }
    return pack_check(head, err);
}

void candidate_pack_row(const struct candidate_row *row, struct buf *body)
{
    pack_text(body, row->id);
    pack_text(body, row->tail);
    pack_text(body, row->because);
    pack_number(body, row->policy);
}

struct candidate_row candidate_unpack_row(struct packed *body)
{
    struct candidate_row row = {.id = pack_take_text(body)};
    row.tail = pack_take_text(body);
    row.because = pack_take_text(body);
    row.policy = (uint16_t)pack_take_number(body);
    return row;
}
