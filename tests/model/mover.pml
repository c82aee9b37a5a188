/* mover.pml: how a directory moves, for SPIN.  run.py says with which bounds it is explored, and which
 * switches (mutants) take something away that must then be missed; tests/DESIGN.md, what it leaves out.
 *
 * The engine below is executor/protocol.c and the loop that carries it (decide, write down, act): it has the
 * same states and the same transitions, one step of it is one request or one look at one object, and it
 * knows only what it has looked at.  World is everybody else.  Between two steps of the one the other may
 * do anything that its bounds allow. */

/* Bounds: how often in one exploration. */
#ifndef UNITS
#define UNITS 1     /* units, one after the other: a move, then its return or the move again */
#endif
#ifndef CRASHES
#define CRASHES 1   /* of the engine, anywhere */
#endif
#ifndef LOSSES
#define LOSSES 1    /* requests or replies that are lost, COMMITs without an answer */
#endif
#ifndef DELAYS
#define DELAYS 1    /* requests that arrive late, instead of or on top of being answered: zombies */
#endif
#ifndef WRITES
#define WRITES 1    /* at the unit's source: an object written, overwritten or removed */
#endif
#ifndef FOREIGN
#define FOREIGN 1   /* the same at its target */
#endif
#ifndef EDITS
#define EDITS 1     /* of rows: pointed elsewhere or back at the source, or a new one there */
#endif
#ifndef STALES
#define STALES 1    /* the database goes back to before the last cut-over */
#endif
#ifndef DENIALS
#define DENIALS 0   /* looks that are refused */
#endif
#ifndef ASKS
#define ASKS 0      /* for rollback or repair */
#endif

/* -- the world ---------------------------------------------------------------------------------- */

#define S 0         /* two places ... */
#define T 1
#define NOWHERE 2   /* of a row: somewhere else, or not there */
#define NB 2        /* ... with two names each */
#define NR 3        /* rows: two that share the directory, and one that comes later */
#define CELL(place, name) ((place) * NB + (name))
#define ACROSS(cell) (((cell) + NB) % (2 * NB))
#define PLACE(cell) ((cell) / NB)

byte has[4];        /* content by cell; 0: no object.  Contents are compared within one name only. */
byte gen[4];        /* how often the cell was written, which makes its etag */
byte row[NR];       /* where it points */
byte content = 1;   /* the latest that anybody made up */

#ifdef ETAG_IS_CONTENT
#define ETAG(cell) has[cell]
#else
#define ETAG(cell) (has[cell] -> gen[cell] : 0)
#endif

/* A transaction whose COMMIT was sent and not answered: it holds the locks of its rows. */
bit pending;
bit pending_to;

/* Requests that are still on their way. */
mtype:request = { NONE, COPY_IF, DELETE_IF };
#if DELAYS > 1
#define SLOTS 2
#else
#define SLOTS 1
#endif
mtype:request late_kind[SLOTS] = NONE;
byte late_cell[SLOTS], late_etag[SLOTS];

#define LATE_DELETE(slot, place) (late_kind[slot] == DELETE_IF && PLACE(late_cell[slot]) == (place))
#if DELAYS == 0
#define LATE_DELETE_AT(place) false
#elif DELAYS == 1
#define LATE_DELETE_AT(place) LATE_DELETE(0, place)
#else
#define LATE_DELETE_AT(place) (LATE_DELETE(0, place) || LATE_DELETE(1, place))
#endif

byte crashes, losses, delays, writes, foreign, edits, stales, denials, asks, units;

/* -- the journal and the engine's memory -------------------------------------------------------- */

mtype:state = {
    PLANNED, COPYING, VERIFYING, COMMITTING, CUTOVER, RETURNING, REPAIRING, DELETING, SWEEPING,
    DONE, SKIPPED, ABANDONED, ROLLED_BACK, PARKED
};
mtype:action = { RESUME, LOOK, COPY, CUT, DELETE, REST };

mtype:state state = DONE, left = DONE;             /* as the engine knows it */
mtype:state kept_state = DONE, kept_left = DONE;   /* and as it stands on the disk */
mtype:action act = REST;
byte man[NB], want[NB];     /* the manifest: etag (0: not in it) and content */
bit mine[NR];               /* the rows of the unit */
bit from;                   /* its source; the target is the other place */
bit keep;                   /* the source is kept: done with the cut-over */
bit due, kept_due;          /* the grace has passed */

byte at;                    /* the next cell of a look or a batch; ROWS: the catalog */
#define ROWS (2 * NB)
bit same[NB], changed, missing, extra;             /* what was seen at the source */
bit absent[NB], differs, target_extra;             /* and at the target */
bit unknown, refused;                              /* answers to a batch */

#define TO (1 - from)
#define IS_CLOSED (state == DONE || state == SKIPPED || state == ABANDONED || state == ROLLED_BACK)
#define IS_CUT_OVER (state == CUTOVER || state == RETURNING || state == REPAIRING || state == DELETING || \
    state == SWEEPING || state == PARKED)

/* Ghosts: what is true, for the assertions; the engine never reads them. */
bit rewritten;    /* at the source, since the manifest was made, by others or by a late copy */
bit spoilt;       /* at the target, by others */
bit edited;       /* the rows, by others or by a database that went back */
bit was_bad;      /* the source was not as it must be when the look began that led to what is done */
bit committed_to; /* where the latest transaction of ours turned the rows */
bit told;         /* of the grace that began when the rows were cut over */
bit graced;       /* it has passed since then; for ever, once it was used */
bit begun;        /* deletes may have been sent */

/* Of one step only: zero between steps. */
byte c, o, e, n, k;
mtype:request kind = NONE;
byte answer;
bit arrives, answers, comes_late, exact;
byte at_source, at_target, strangers, rows;
mtype:state was = DONE;
bit written, weakly, renewed;

inline tidy()
{
    d_step {
        c = 0; o = 0; e = 0; n = 0; k = 0;
        kind = NONE;
        answer = 0;
        arrives = 0; answers = 0; comes_late = 0; exact = 0;
        at_source = 0; at_target = 0; strangers = 0; rows = 0;
        was = DONE;
        written = 0; weakly = 0; renewed = 0
    }
}

#define DID 1
#define EXISTS 2
#define CHANGED 3
#define UNKNOWN 4

/* -- what a store does -------------------------------------------------------------------------- */

#ifdef NO_SOURCE_IF_MATCH
#define SOURCE_MATCHES true
#else
#define SOURCE_MATCHES (ETAG(o) == e)
#endif
#ifdef NO_TARGET_IF_NONE_MATCH
#define TARGET_IS_FREE true
#else
#define TARGET_IS_FREE (has[c] == 0)
#endif
#ifdef NO_DELETE_IF_MATCH
#define DELETE_MATCHES true
#else
#define DELETE_MATCHES (ETAG(c) == e)
#endif

/* An invariant of the design, by its number; run.py reads it from what SPIN says. */
#define must(number, what) assert((what) || broken == number)
byte broken;

inline apply_copy()
{
    o = ACROSS(c);
    if
    :: has[o] == 0 || !SOURCE_MATCHES -> answer = CHANGED
    :: has[o] != 0 && SOURCE_MATCHES && !TARGET_IS_FREE -> answer = EXISTS
    :: else ->
        must(4, has[c] == 0 || has[c] == has[o]); /* what others made is never overwritten */
        must(10, kept_state != PLANNED);         /* what was made, the journal knows of */
        if
        :: PLACE(c) == from -> rewritten = 1; was_bad = 0 /* a late one, of an earlier unit */
        :: else
        fi;
        has[c] = has[o];
        gen[c]++;
        answer = DID
    fi
}

inline apply_delete()
{
    if
    :: has[c] == 0 -> answer = DID
    :: has[c] != 0 && !DELETE_MATCHES -> answer = CHANGED
    :: else ->
        must(1, has[ACROSS(c)] == has[c]); /* no content is gone unless it stands at the other place */
        must(2, row[0] != PLACE(c) && row[1] != PLACE(c) && row[2] != PLACE(c));
        has[c] = 0;
        answer = DID
    fi
}

inline apply()
{
    d_step {
        if
        :: kind == COPY_IF -> apply_copy()
        :: kind == DELETE_IF -> apply_delete()
        fi
    }
}

/* Sends the request kind, c, e: it is answered; lost on its way there or back; late; answered and late. */
inline send()
{
    arrives = 1; answers = 1; comes_late = 0;
    if
    :: true
    :: losses < LOSSES -> losses++; answers = 0
    :: losses < LOSSES -> losses++; answers = 0; arrives = 0
    :: delays < DELAYS -> comes_late = 1; answers = 0; arrives = 0
    :: delays < DELAYS -> comes_late = 1
    fi;
    if
    :: comes_late -> late_kind[delays] = kind; late_cell[delays] = c; late_etag[delays] = e; delays++
    :: else
    fi;
    if
    :: arrives -> apply()
    :: else
    fi;
    if
    :: answers
    :: else -> answer = UNKNOWN
    fi
}

/* -- what the catalog does ---------------------------------------------------------------------- */

inline commit(place)
{
    d_step {
        must(10, !IS_CLOSED); /* no unit that is reported as untouched or returned has other rows */
        n = 0;
        do
        :: n < NB ->
            must(3, place == from || man[n] == 0 || has[CELL(place, n)] == want[n]);
            n++
        :: else -> break
        od;
        must(3, !was_bad); /* no row is turned to, or away from, what was seen to be other than thought */
        n = 0;
        do
        :: n < NR ->
            if
            :: mine[n] ->
                must(4, row[n] == 1 - place); /* what others wrote into a row is never overwritten */
                row[n] = place
            :: else
            fi;
#ifdef ONE_ROW
            if :: mine[n] -> break :: else fi;
#endif
            n++
        :: else -> break
        od;
        committed_to = place;
        if
        :: place == TO && !begun -> told = 0; graced = 0
        :: else
        fi
    }
}

#define ORIGIN (state == RETURNING -> TO : from)

inline read_rows()
{
    d_step {
        at_source = 0; at_target = 0; strangers = 0; rows = 0; n = 0;
        do
        :: n < NR ->
            rows = rows + mine[n];
            at_source = at_source + (mine[n] && row[n] == from);
            at_target = at_target + (mine[n] && row[n] == TO);
            strangers = strangers + (!mine[n] && row[n] == ORIGIN);
            n++
        :: else -> break
        od
    }
}

/* -- the journal -------------------------------------------------------------------------------- */

/* Written, and on the disk now or only with the next durable write. */
inline become(new)
{
    state = new;
    written = 1;
    weakly = 1
}

/* On the disk before anything else is done. */
inline promise(new)
{
    state = new;
    written = 1;
    weakly = 0
}

#ifdef NO_B1
#define promise_1(new) state = new; kept_state = PLANNED
#else
#define promise_1(new) promise(new)
#endif
#ifdef NO_B2
#define promise_2(new) become(new)
#else
#define promise_2(new) promise(new)
#endif
#ifdef NO_B3
#define promise_3(new) become(new)
#else
#define promise_3(new) promise(new)
#endif
#ifdef NO_B_DELETING
#define promise_delete(new) become(new)
#else
#define promise_delete(new) promise(new)
#endif
#ifdef NO_B_RETURNING
#define promise_return(new) become(new)
#else
#define promise_return(new) promise(new)
#endif
#ifdef NO_B_REPAIRING
#define promise_repair(new) become(new)
#else
#define promise_repair(new) promise(new)
#endif

inline rest()
{
    act = REST;
    renewed = 1
}

inline look()
{
    act = LOOK;
    renewed = 1
}

inline cut_over()
{
    act = CUT;
    renewed = 1
}

inline send_all(what)
{
    act = what;
    at = 0
}

#ifdef LOSS_ONLY
#define REPORTED(why) true
#else
#define REPORTED(why) (why)
#endif

/* A repair goes on from where it began, or not at all. */
#ifdef PARK_FORGETS
#define PARKS_AS state
#else
#define PARKS_AS (state == REPAIRING -> left : state)
#endif

inline park(why)
{
    must(10, REPORTED(why)); /* it is as reported, and nobody is called for nothing */
    left = PARKS_AS;
    become(PARKED);
    rest()
}

inline abandon(why)
{
    must(10, REPORTED(why)); /* as above */
    become(ABANDONED);
    rest()
}

/* -- looks -------------------------------------------------------------------------------------- */

/* Ghost: is the source other than in the manifest?  Once rows were cut over it may lack objects. */
inline note_source(may_lack)
{
    d_step {
        was_bad = 0; n = 0;
        do
        :: n < NB ->
            o = CELL(from, n);
            was_bad = was_bad || (ETAG(o) != man[n] && !(may_lack && has[o] == 0));
            n++
        :: else -> break
        od
    }
}

/* Nothing is remembered but the state; a look begins where the state wants it: source, target, rows. */
inline renew()
{
    same[0] = 0; same[1] = 0; changed = 0; missing = 0; extra = 0;
    absent[0] = 0; absent[1] = 0; differs = 0; target_extra = 0;
    unknown = 0; refused = 0; at = 0;
    if
    :: act == LOOK && state == COMMITTING -> at = ROWS
    :: act == LOOK && !pending && state != COMMITTING && state != SWEEPING ->
        note_source(state != VERIFYING && state != RETURNING)
    :: else
    fi
}

inline see_source()
{
    o = CELL(from, at);
    if
    :: has[o] == 0 -> missing = missing || man[at] != 0
    :: else -> if
    :: man[at] == 0 -> extra = 1
    :: else -> if
    :: ETAG(o) == man[at] -> same[at] = 1
    :: else -> changed = 1
    fi fi fi
}

inline see_target()
{
    n = at - NB;
    o = CELL(TO, n);
    if
    :: has[o] == 0 -> absent[n] = man[n] != 0
    :: else -> if
    :: man[n] == 0 -> target_extra = 1
    :: else -> differs = differs || has[o] != want[n]
    fi fi
}

#define SOURCE_IS_AS_IN_MANIFEST (!changed && !missing && !extra)
#define TARGET_IS_EQUAL (!differs && !absent[0] && !absent[1])

inline see_object()
{
    d_step {
        if
        :: at < NB -> see_source()
        :: else -> see_target()
        fi;
        at++;
        if
        :: at == NB && (state == RETURNING || state == SWEEPING) -> at = ROWS
        :: else
        fi
    }
}

/* -- the steps ---------------------------------------------------------------------------------- */

/* A delete that was sent may still arrive: there is no other grace, in which the rows could go back. */
#ifdef REPAIR_FORGETS
#define HAS_BEGUN_TO_DELETE false
#else
#define HAS_BEGUN_TO_DELETE (state == REPAIRING && (left == DELETING || left == SWEEPING))
#endif

inline cut_over_done()
{
    if
    :: HAS_BEGUN_TO_DELETE -> promise_3(DELETING); look()
    :: else ->
        must(10, !told); /* no grace begins again */
        if
        :: keep -> become(DONE)
        :: else ->
            promise_3(CUTOVER);
            due = 0;
            told = 1
        fi;
        rest()
    fi
}

/* What of a unit is at rest or under way: a parked one is where it came from. */
#define STAGE (state == PARKED -> left : state)

inline begin_repair()
{
    if
    :: state != REPAIRING -> left = STAGE
    :: else
    fi;
    become(REPAIRING);
    if
    :: HAS_BEGUN_TO_DELETE
    :: else -> told = 0
    fi;
    look()
}

inline on_copied()
{
    if
    :: refused -> abandon(rewritten)
#ifdef TRUST_RESPONSE
    :: !refused && !unknown -> state = COMMITTING; kept_state = state; cut_over()
#endif
    :: else ->
        become(VERIFYING);
#ifdef NO_GATE_1
        promise_2(COMMITTING);
        cut_over()
#else
        look()
#endif
    fi
}

#ifdef NO_GATE_1_SOURCE
#define GATE_1_REFUSES false
#else
#define GATE_1_REFUSES (!SOURCE_IS_AS_IN_MANIFEST)
#endif

inline on_seen_verifying()
{
    if
    :: differs -> abandon(true)
    :: else -> if
    :: target_extra -> abandon(spoilt || units > 1)
    :: else -> if
    :: GATE_1_REFUSES -> abandon(rewritten)
    :: else -> if
    :: absent[0] || absent[1] -> become(COPYING); send_all(COPY)
    :: else -> promise_2(COMMITTING); cut_over()
    fi fi fi fi
}

inline on_seen_committing()
{
    read_rows();
    if
    :: at_target == rows -> cut_over_done()
    :: else -> if
    :: at_target > 0 -> park(edited)
    :: else -> if
    :: at_source < rows || strangers > 0 -> abandon(edited)
    :: else -> become(VERIFYING); look()
    fi fi fi
}

#ifdef NO_GATE_2_ROWS
#define ROWS_FORBID false
#elif defined(NO_GATE_2_STRANGERS)
#define ROWS_FORBID (at_source > 0)
#else
#define ROWS_FORBID (at_source + strangers > 0)
#endif
#ifdef NO_GATE_2_TARGET
#define TARGET_FORBIDS false
#else
#define TARGET_FORBIDS (!TARGET_IS_EQUAL)
#endif
#ifdef NO_GATE_2_SOURCE
#define SOURCE_FORBIDS false
#else
#define SOURCE_FORBIDS (changed || extra)
#endif

inline on_seen_gate_2()
{
    read_rows();
    if
    :: ROWS_FORBID -> park(edited || (rewritten && committed_to == from))
    :: else -> if
    :: at_target == 0 -> park(edited)
    :: else -> if
    :: TARGET_FORBIDS -> park(spoilt)
    :: else -> if
    :: SOURCE_FORBIDS -> park(rewritten)
    :: else -> if
    :: !same[0] && !same[1] -> become(SWEEPING); look()
    :: else -> begun = 1; promise_delete(DELETING); send_all(DELETE)
    fi fi fi fi fi
}

inline on_deleted()
{
    if
    :: refused -> park(rewritten)
    :: else -> if
    :: unknown -> look()
    :: else -> become(SWEEPING); look()
    fi fi
}

inline on_seen_sweeping()
{
    if
    :: same[0] || same[1] -> become(DELETING); look()
    :: else -> become(DONE); rest() /* late objects are reported, never deleted */
    fi
}

#ifdef RETURN_BLIND
#define RETURN_REFUSES false
#else
#define RETURN_REFUSES (!SOURCE_IS_AS_IN_MANIFEST)
#endif

/* Back in its grace, where the next run looks at it by itself. */
inline stay_cut_over(why)
{
    state = CUTOVER;
    park(why)
}

inline on_seen_returning()
{
    read_rows();
    if
    :: at_source == rows && !missing -> become(ROLLED_BACK); rest()
    :: else -> if
    :: at_source == rows -> stay_cut_over(rewritten)
    :: else -> if
    :: at_source > 0 && at_source < rows -> park(edited)
    :: else -> if
    :: RETURN_REFUSES -> stay_cut_over(rewritten)
    :: else -> if
    :: at_target < rows || strangers > 0 -> stay_cut_over(edited)
    :: else -> cut_over()
    fi fi fi fi fi
}

#ifdef REPAIR_BLIND
#define REPAIR_REFUSES false
#else
#define REPAIR_REFUSES (!TARGET_IS_EQUAL)
#endif
#ifdef REPAIR_OLD_GRACE
#define NEW_GRACE_DUE due
#else
#define NEW_GRACE_DUE 0 /* whatever comes of it, a grace passes before anything is deleted */
#endif
#ifdef REPAIR_NO_SOURCE
#define REPAIR_IN_USE false
#else
#define REPAIR_IN_USE (changed || extra)
#endif
inline on_seen_repairing()
{
    read_rows();
    if
    :: at_target == rows -> cut_over_done()
    :: else -> if
    :: at_target > 0 || at_source < rows || strangers > 0 -> park(edited)
    :: else -> if
    :: REPAIR_REFUSES -> park(spoilt)
    :: else -> if
    :: REPAIR_IN_USE -> park(rewritten)
    :: else ->
        if
        :: HAS_BEGUN_TO_DELETE
        :: else -> due = NEW_GRACE_DUE
        fi;
        promise_repair(REPAIRING);
        cut_over()
    fi fi fi fi
}

inline decide()
{
    if
    :: state == VERIFYING -> on_seen_verifying()
    :: state == COMMITTING -> on_seen_committing()
    :: state == CUTOVER || state == DELETING -> on_seen_gate_2()
    :: state == SWEEPING -> on_seen_sweeping()
    :: state == RETURNING -> on_seen_returning()
    :: state == REPAIRING -> on_seen_repairing()
    fi
}

/* The transaction goes to the other side of where the rows are thought to be, and only if all of them, and
 * no others, are there. */
inline cut()
{
    read_rows();
    if
    :: state == RETURNING -> k = from; exact = at_target == rows && strangers == 0
    :: else -> k = TO; exact = at_source == rows && strangers == 0
    fi;
#ifdef NO_COMPARE_AND_SET
    exact = true;
#endif
    if
    :: !exact -> look()
    :: exact ->
        commit(k);
        if
        :: state == COMMITTING -> cut_over_done()
        :: state == RETURNING -> become(ROLLED_BACK); rest()
        :: state == REPAIRING -> cut_over_done()
        fi
    :: exact && losses < LOSSES ->
        losses++;
        pending = 1;
        pending_to = k;
#ifdef UNKNOWN_IS_DONE
        if :: state == COMMITTING -> cut_over_done() :: else -> look() fi
#elif defined(UNKNOWN_IS_FAILED)
        if :: state == COMMITTING -> abandon(true) :: else -> look() fi
#else
        look()
#endif
    fi
}

#ifdef DELETE_LISTED
#define WANTED (has[CELL(from, at)] != 0) /* whatever a new listing shows, by its own etag */
#define WANTED_ETAG ETAG(CELL(from, at))
#else
#define WANTED same[at]
#define WANTED_ETAG man[at]
#endif

inline choose_request()
{
    d_step {
        kind = NONE;
        if
        :: act == COPY && absent[at] -> kind = COPY_IF; c = CELL(TO, at); e = man[at]
        :: act == DELETE && WANTED ->
            must(7, graced); /* not before the grace has passed */
            must(2, !was_bad); /* a source that somebody writes to stays whole */
            kind = DELETE_IF; c = CELL(from, at); e = WANTED_ETAG
        :: else
        fi
    }
}

inline batch()
{
    choose_request();
    if
    :: kind != NONE ->
        send();
        unknown = unknown || answer == UNKNOWN;
        refused = refused || answer == CHANGED
    :: else
    fi;
    at++;
    if
    :: at == NB && act == COPY -> on_copied()
    :: at == NB && act == DELETE -> on_deleted()
    :: else
    fi
}

inline resume()
{
    if
    :: state == COPYING -> become(VERIFYING)
    :: else
    fi;
    if
#ifndef NO_GRACE
    :: state == CUTOVER && !due -> rest()
#endif
    :: else -> look()
    fi
}

/* -- the engine at rest ------------------------------------------------------------------------- */

/* A directory is planned from where its rows are to the other place, and begun at once: what happens in
 * between is what happens before. */
inline plan()
{
    units++;
    if
    :: from = S
    :: from = T
    fi;
#ifdef KEEP
    if :: keep = 0 :: keep = 1 fi;
#endif
    state = PLANNED;
    was = PLANNED;
    kept_state = DONE; /* what was closed before this */
    left = DONE; due = 0; kept_due = 0;
    told = 0; graced = 0; begun = 0; rewritten = 0; spoilt = 0; edited = 0; was_bad = 0;
    n = 0;
    do
    :: n < NR -> mine[n] = row[n] == from; n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < NB ->
        want[n] = has[CELL(from, n)];
        man[n] = ETAG(CELL(from, n));
        absent[n] = man[n] != 0;
        n++
    :: else -> break
    od;
    read_rows();
    if
    :: row[0] == TO || row[1] == TO || row[2] == TO -> edited = 1 /* rows of others are at the target */
    :: else
    fi;
    if
    :: rows == 0 -> become(DONE); rest()
    :: rows > 0 && man[0] + man[1] == 0 -> become(SKIPPED); rest()
    :: rows > 0 && man[0] + man[1] > 0 -> promise_1(COPYING); send_all(COPY)
    fi
}

inline give_up()
{
    if
    :: state == VERIFYING -> abandon(true)
    :: else -> park(true)
    fi
}

/* What was not made durable is lost; what was on its way still is. */
inline crash()
{
    crashes++;
    state = kept_state;
    left = kept_left;
    due = kept_due;
    if
    :: state == PLANNED -> state = SKIPPED /* the journal knows nothing of it */
    :: else
    fi;
    rest()
}

#define RETURN_STAGE (state == PARKED || state == REPAIRING -> left : state)
#ifdef RETURN_WHILE_DELETING
#define MAY_RETURN (RETURN_STAGE == CUTOVER || RETURN_STAGE == RETURNING || RETURN_STAGE == DELETING)
#else
#define MAY_RETURN (RETURN_STAGE == CUTOVER || RETURN_STAGE == RETURNING)
#endif
#ifdef REPAIR_WHILE_RETURNING
#define REPAIR_MEANWHILE (STAGE == RETURNING)
#else
#define REPAIR_MEANWHILE false
#endif
#define MAY_REPAIR (STAGE == REPAIRING || STAGE == CUTOVER || STAGE == DELETING || STAGE == SWEEPING || \
    REPAIR_MEANWHILE)
#ifdef RESTORE_WHILE_OPEN
#define MAY_PLAN (IS_CLOSED || state == PARKED || state == CUTOVER)
#else
#define MAY_PLAN IS_CLOSED
#endif
#define IS_AMID (!IS_CLOSED && state != PARKED && state != CUTOVER)
#ifdef NO_LOCK
#define LOCKS (act == CUT)
#else
#define LOCKS (act == CUT || (act == LOOK && at == ROWS && \
    (state == COMMITTING || state == RETURNING || state == REPAIRING)))
#endif
#define MUST_WAIT (pending && LOCKS)
#define HAS_MORE (!IS_CLOSED || (units < UNITS && NOTHING_LATE) || \
    (crashes < CRASHES && kept_state != state))
#ifdef RESTORE_WAITS
#define NOTHING_LATE (!LATE_DELETE_AT(S) && !LATE_DELETE_AT(T))
#else
#define NOTHING_LATE true
#endif

inline act_once()
{
    was = state;
    if
    :: act == RESUME -> resume()
    :: act == LOOK && at < ROWS -> see_object()
    :: act == LOOK && at == ROWS && !MUST_WAIT -> decide()
    :: act == LOOK && at == ROWS && denials < DENIALS -> denials++; give_up()
    :: act == CUT && !MUST_WAIT -> cut()
    :: act == COPY || act == DELETE -> batch()
    :: crashes < CRASHES -> crash()
    fi
}

/* The grace ends.  No transaction lives that long, and what waited to be written down was. */
inline pass_time()
{
    kept_state = state; kept_left = left;
    due = 1; kept_due = 1;
    graced = 1
}

inline at_rest()
{
    was = state;
    if
    :: MAY_PLAN && units < UNITS && NOTHING_LATE -> plan()
    :: IS_AMID -> act = RESUME
    :: state == REPAIRING && !due && !pending -> pass_time()
    :: state == CUTOVER ->
        if
        :: !pending -> pass_time()
        :: true
        fi;
        act = RESUME
    :: state == PARKED -> become(left); act = RESUME
    :: MAY_RETURN && asks < ASKS -> asks++; promise_return(RETURNING); look()
    :: MAY_REPAIR && asks < ASKS -> asks++; begin_repair()
    :: crashes < CRASHES && kept_state != state -> crash()
    fi
}

/* For run.py: which state followed which, in all that was explored. */
c_decl {
    static unsigned char moves[32][32];
    static void __attribute__((destructor)) tell_moves(void)
    {
        for (int i = 0; i < 32 * 32; i++)
            if (moves[i / 32][i % 32])
                printf("move %d %d\n", i / 32, i % 32);
    }
}

/* What a step has decided is written down before anything else is done. */
inline remember()
{
    if
    :: state != PARKED && state != REPAIRING -> left = DONE /* nobody asks for it any more */
    :: else
    fi;
    if
    :: written ->
        c_code { moves[now.was][now.state] = 1; }
        if
        :: kept_state = state; kept_left = left; kept_due = due
        :: weakly
        fi
    :: else
    fi;
    if
    :: renewed -> renew()
    :: else
    fi;
    if
    :: state == ABANDONED && renewed -> read_rows(); must(10, at_target == 0) /* it is untouched */
    :: else
    fi;
    tidy()
}

proctype Engine()
{
work:
    do
    :: atomic { act != REST && (!MUST_WAIT || crashes < CRASHES) -> act_once(); remember() }
    :: atomic { act == REST -> break }
    od;
end_rest:
progress_rest:
    atomic { HAS_MORE -> at_rest(); remember() }
    goto work
}

/* -- everybody else ----------------------------------------------------------------------------- */

/* What safety asks of others (tests/DESIGN.md): from gate 1 to the commit nobody writes to the target; from
 * gate 2 until no delete can arrive any more nobody does, nor points a row at the source. */
#define IS_LOOKING_AT_TARGET (act == LOOK && at > NB)
#define GATE_1_HOLDS (pending || act == CUT || \
    ((state == VERIFYING || state == REPAIRING) && IS_LOOKING_AT_TARGET))
#define GATE_2_HOLDS (act == DELETE || \
    ((state == CUTOVER || state == DELETING) && IS_LOOKING_AT_TARGET))
#define MAY_WRITE_TARGET (IS_CLOSED || !(GATE_1_HOLDS || GATE_2_HOLDS))
#define MAY_POINT_AT(place) (!LATE_DELETE_AT(place) && !(act == DELETE && from == place))

inline write(place)
{
    if
    :: c = CELL(place, 0)
    :: c = CELL(place, 1)
    fi;
    if
    :: content++; has[c] = content; gen[c]++
    :: has[c] != 0 -> has[c] = 0
    :: has[c] == 0 && has[ACROSS(c)] != 0 -> has[c] = has[ACROSS(c)]; gen[c]++
    fi;
}

inline edit()
{
    if
    :: !pending -> row[1] = NOWHERE
    :: !pending && MAY_POINT_AT(from) -> row[1] = from
    :: !(pending && mine[2]) && MAY_POINT_AT(S) -> row[2] = S
    :: !(pending && mine[2]) && MAY_POINT_AT(T) -> row[2] = T
    :: true
    fi;
    edited = 1
}

/* The latest commit of ours is undone, and what others wrote into those rows since. */
inline go_back()
{
    d_step {
        n = 0;
        do
        :: n < NR ->
            if
            :: mine[n] -> row[n] = 1 - committed_to
            :: else
            fi;
            n++
        :: else -> break
        od;
        edited = 1
    }
}

#define IS_LATE(slot) ((slot) < DELAYS && late_kind[slot] != NONE)

inline arrive()
{
    if
    :: IS_LATE(0) -> k = 0
    :: IS_LATE(SLOTS - 1) -> k = SLOTS - 1
    fi;
    kind = late_kind[k]; c = late_cell[k]; e = late_etag[k];
    late_kind[k] = NONE; late_cell[k] = 0; late_etag[k] = 0;
    apply()
}

proctype World()
{
end_world:
    do
    :: atomic { writes < WRITES && units > 0 && !LATE_DELETE_AT(TO) ->
        writes++; rewritten = 1; was_bad = 0; write(from); tidy() }
    :: atomic { foreign < FOREIGN && units > 0 && MAY_WRITE_TARGET && !LATE_DELETE_AT(from) ->
        foreign++; spoilt = 1; write(TO); tidy() }
    :: atomic { edits < EDITS && units > 0 -> edits++; edit(); tidy() }
    :: atomic { stales < STALES && IS_CUT_OVER && !pending && MAY_POINT_AT(1 - committed_to) ->
        stales++; go_back(); tidy() }
    :: atomic { pending -> if :: commit(pending_to) :: true fi; pending = 0; tidy() }
    :: atomic { IS_LATE(0) || IS_LATE(SLOTS - 1) -> arrive(); tidy() }
    od
}

init {
    atomic {
        has[CELL(S, 0)] = 1; gen[CELL(S, 0)] = 1;
        if
        :: has[CELL(S, 1)] = 1; gen[CELL(S, 1)] = 1
        :: true
        fi;
        row[0] = S; row[1] = S; row[2] = NOWHERE;
        run Engine();
        run World()
    }
}
