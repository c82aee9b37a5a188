#include "policy/imply.h"

#include "base/str.h"
#include "base/zone.h"
#include "policy/scalar.h"
#include "policy/tree.h"

#define WORDS_A_STEP 64

/* ---- leaves ---- */

/* Where two leaves of one kind ask for sets of values, either the first is within the second, or
 * they are apart: have none in common.                                                           */

static bool ids_are(struct proof *proof, const struct id_list *a, const struct id_list *b,
                    bool apart)
{
    size_t words = (a->size + 63) / 64, steps = words / WORDS_A_STEP;
    proof->steps -= steps < proof->steps ? steps : proof->steps;
    for (size_t i = 0; i < words; i++) {
        uint64_t listed = 64 * i < b->size ? b->bits[i] : 0;
        if ((a->bits[i] & (apart ? listed : ~listed)) != 0)
            return false;
    }
    return true;
}

static bool sizes_are(const struct clause *a, const struct clause *b, bool apart)
{
    if (apart)
        return a->sizes.to <= b->sizes.from || b->sizes.to <= a->sizes.from;
    return a->sizes.from >= b->sizes.from && a->sizes.to <= b->sizes.to;
}

/* Is a at least as long as b, whenever both are counted from?  n months have from 30n - 2 to 31n
 * days, and clocks are set by at most a day.                                                     */
static bool is_as_long(struct when_duration a, struct when_duration b)
{
    if (a.months != 0 && b.months != 0)
        return a.months >= b.months;
    if (a.months != 0)
        return (30 * (int64_t)a.months - 3) * WHEN_DAY_US >= b.us;
    return a.us >= (b.months == 0 ? b.us : (31 * (int64_t)b.months + 1) * WHEN_DAY_US);
}

/* Days have gone by for good when `newer_than` does not reach back to them any more. */
static bool is_gone(const struct proof *proof, const struct clause *days, const struct clause *age)
{
    return age->origin->age == AGE_NEWER &&
           days->range.to_us <= zone_before(proof->zone, proof->now_us, age->origin->duration);
}

static bool times_are(const struct proof *proof, const struct clause *a, const struct clause *b,
                      bool apart)
{
    enum clause_age ours = a->origin->age, theirs = b->origin->age;
    if (ours != AGE_NONE && theirs != AGE_NONE) {
        bool longer = ours == AGE_OLDER ? is_as_long(a->origin->duration, b->origin->duration)
                                        : is_as_long(b->origin->duration, a->origin->duration);
        return longer && (ours != theirs) == apart;
    }
    if (ours != AGE_NONE || theirs != AGE_NONE)
        return apart && proof->guesses &&
               (ours == AGE_NONE ? is_gone(proof, a, b) : is_gone(proof, b, a));
    if (apart)
        return a->range.to_us <= b->range.from_us || b->range.to_us <= a->range.from_us;
    return a->range.from_us >= b->range.from_us && a->range.to_us <= b->range.to_us;
}

/* ---- tests on fields ---- */

/* Other clauses may wait for their column's type as well. */
static bool is_comparison(const struct clause *clause)
{
    return clause->kind == CLAUSE_LITERAL && clause->relations != 0 &&
           clause->origin->age == AGE_NONE;
}

static unsigned relations_of(struct claim claim)
{
    unsigned all = RELATION_LESS | RELATION_EQUAL | RELATION_GREATER;
    return claim.truth == TRUTH_YES ? claim.clause->relations : all & ~claim.clause->relations;
}

/* Does a value that passes the test `a` pass `b` as well?  order: of a's literal to b's. */
static bool is_as_strict(unsigned a, unsigned b, int order)
{
    for (unsigned to_a = RELATION_LESS; to_a <= RELATION_GREATER; to_a <<= 1) {
        for (unsigned to_b = RELATION_LESS; to_b <= RELATION_GREATER; to_b <<= 1) {
            bool can_be = order == 0  ? to_a == to_b
                          : order < 0 ? to_a == RELATION_GREATER || to_b == RELATION_LESS
                                      : to_a == RELATION_LESS || to_b == RELATION_GREATER;
            if (can_be && (a & to_a) != 0 && (b & to_b) == 0)
                return false;
        }
    }
    return true;
}

static bool is_day(const char *text)
{
    struct when_date date;
    struct err err;
    return when_date_read(text, &date, &err);
}

/* The order of two literals as numbers or times.  False: they are not both such, or (*is_mixed) a
 * day and an instant, which may be of that day.                                                  */
static bool compare_values(const char *a, const char *b, int *order, bool *is_mixed)
{
    struct decimal number, other;
    int64_t instant_us, other_us;
    struct err err;
    *is_mixed = false;
    if (scalar_read_decimal(a, &number) && scalar_read_decimal(b, &other)) {
        *order = clause_compare_decimals(number, other);
        return true;
    }
    if (!when_instant_read(a, &instant_us, &err) || !when_instant_read(b, &other_us, &err))
        return false;
    *order = (instant_us > other_us) - (instant_us < other_us);
    *is_mixed = is_day(a) != is_day(b);
    return !*is_mixed;
}

/* A column of booleans needs no reading of its own: only equality is asked of it, and two texts
 * that differ are two booleans that do. */
static bool comparisons_imply(const struct proof *proof, struct claim a, struct claim b)
{
    const char *ours = a.clause->origin->literal->text, *theirs = b.clause->origin->literal->text;
    int order;
    bool is_mixed;
    bool has_values = compare_values(ours, theirs, &order, &is_mixed);
    if (is_mixed || (has_values && !is_as_strict(relations_of(a), relations_of(b), order)))
        return false;
    return (has_values && proof->guesses) ||
           is_as_strict(relations_of(a), relations_of(b), str_compare(ours, theirs));
}

/* ---- a leaf and a leaf ---- */

/* The claims are of leaves of one kind that ask for sets.  What is not in the one, is it in the
 * other?  It might be proved of two halves of everything; nobody writes them so.                */
static bool sets_imply(struct proof *proof, struct claim a, struct claim b)
{
    if (a.truth == TRUTH_NO && b.truth == TRUTH_YES)
        return false;
    bool apart = a.truth != b.truth;
    const struct clause *inner = a.truth == TRUTH_NO ? b.clause : a.clause;
    const struct clause *outer = a.truth == TRUTH_NO ? a.clause : b.clause;
    if (inner->kind == CLAUSE_IDS)
        return ids_are(proof, &inner->list, &outer->list, apart);
    return inner->kind == CLAUSE_SIZE ? sizes_are(inner, outer, apart)
                                      : times_are(proof, inner, outer, apart);
}

static const char *written(const struct clause *clause)
{
    return clause->origin->literal == NULL ? NULL : clause->origin->literal->text;
}

/* Words and what was written, of which they may show the beginning only, tell all that there is to
 * a leaf, but for lists of ids. */
static bool is_same(const struct clause *a, const struct clause *b)
{
    return a->kind == b->kind && a->index == b->index && a->relations == b->relations &&
           str_equal(a->origin->words, b->origin->words) && str_equal(written(a), written(b));
}

static bool leaf_implies(struct proof *proof, struct claim a, struct claim b)
{
    const struct clause *ours = a.clause, *theirs = b.clause;
    if (theirs->kind == CLAUSE_EVERYTHING)
        return b.truth == TRUTH_YES;
    if (ours->kind == CLAUSE_EVERYTHING)
        return a.truth == TRUTH_NO;
    /* What could be compared is not NULL. */
    if (is_comparison(ours) && theirs->kind == CLAUSE_NULL)
        return ours->index == theirs->index && theirs->boolean == (b.truth == TRUTH_NO);
    if (is_comparison(ours) && is_comparison(theirs))
        return ours->index == theirs->index && comparisons_imply(proof, a, b);
    if (ours->kind != theirs->kind)
        return false;
    switch (ours->kind) {
    case CLAUSE_STORE:
        return ours->index == theirs->index ? a.truth == b.truth
                                            : a.truth == TRUTH_YES && b.truth == TRUTH_NO;
    case CLAUSE_NULL:
        return ours->index == theirs->index &&
               (ours->boolean == theirs->boolean) == (a.truth == b.truth);
    case CLAUSE_IDS:
    case CLAUSE_TIME:
    case CLAUSE_SIZE:
        return sets_imply(proof, a, b);
    default:
        return a.truth == b.truth && is_same(ours, theirs);
    }
}

/* ---- groups ---- */

/* All of its children have its truth. */
static bool is_joint(struct claim claim)
{
    return claim.clause->kind == (claim.truth == TRUTH_YES ? CLAUSE_ALL : CLAUSE_ANY);
}

/* At least one of its children has its truth. */
static bool is_choice(struct claim claim)
{
    return claim.clause->kind == (claim.truth == TRUTH_YES ? CLAUSE_ANY : CLAUSE_ALL);
}

static struct claim inner_of(struct claim negation)
{
    return (struct claim){negation.clause + 1, TRUTH_YES - negation.truth};
}

/* Does it follow from every child of the premise, or (not `every`) from one of them? */
static bool from_children(struct proof *proof, struct claim premise, struct claim conclusion,
                          bool every)
{
    const struct clause *end = premise.clause + premise.clause->size;
    for (const struct clause *child = premise.clause + 1; child < end; child += child->size) {
        if (imply(proof, (struct claim){child, premise.truth}, conclusion) != every)
            return !every;
    }
    return every;
}

static bool to_children(struct proof *proof, struct claim premise, struct claim conclusion,
                        bool every)
{
    const struct clause *end = conclusion.clause + conclusion.clause->size;
    for (const struct clause *child = conclusion.clause + 1; child < end; child += child->size) {
        if (imply(proof, premise, (struct claim){child, conclusion.truth}) != every)
            return !every;
    }
    return every;
}

bool imply(struct proof *proof, struct claim premise, struct claim conclusion)
{
    if (proof->steps == 0)
        return false;
    proof->steps--;
    if (premise.clause->kind == CLAUSE_NOT)
        return imply(proof, inner_of(premise), conclusion);
    if (conclusion.clause->kind == CLAUSE_NOT)
        return imply(proof, premise, inner_of(conclusion));
    if (is_choice(premise))
        return from_children(proof, premise, conclusion, true);
    if (is_joint(conclusion))
        return to_children(proof, premise, conclusion, true);
    if (is_choice(conclusion) && to_children(proof, premise, conclusion, false))
        return true;
    if (is_joint(premise))
        return from_children(proof, premise, conclusion, false);
    return !is_choice(conclusion) && leaf_implies(proof, premise, conclusion);
}
