/*
 * track.c: see track.h.
 */
#include "producer/submit/track.h"

#include <string.h>

#include "base/clock.h"

static bool is_wanted(const struct tracks *tracks,
                      const struct execution_row *row)
{
    return tracks->only == NULL || tracks->only->n == 0 ||
           texts_hold(tracks->only, row->target);
}

static size_t count_targets(const struct tracks *tracks,
                            const struct list *executions)
{
    size_t n = 0;

    for (size_t i = 0; i < executions->n; i++) {
        const struct execution_row *row =
            &list_at(executions, struct execution_row, i);
        n += row->attempt == 1 && is_wanted(tracks, row);
    }
    return n;
}

/* Attempts on a target are told one after the other. */
static struct track *track_add(struct tracks *tracks,
                               const struct execution_row *row)
{
    struct list list = {tracks->list, tracks->n};
    struct track *track = list_grow(&list, sizeof(*track));

    tracks->list = list.items;
    tracks->n = list.n;
    for (size_t i = 0; i + 1 < tracks->n; i++) {
        struct track *other = &tracks->list[i];
        other->followed |= strcmp(other->row.target, row->target) == 0;
    }
    *track = (struct track){.row = *row};
    track->row.target = must_strdup(row->target);
    track->row.reason = NULL;
    track->row.state = EXECUTION_PLANNED;
    track->spout = spout_new(tracks->targets > 1 ? track->row.target : NULL);
    return track;
}

void tracks_init(struct tracks *tracks, const struct run_answer *run,
                 const struct list *only)
{
    *tracks = (struct tracks){.only = only, .attempts = run->attempts};
    tracks->targets = count_targets(tracks, &run->executions);
    tracks_rows(tracks, run);
}

void tracks_done(struct tracks *tracks)
{
    for (size_t i = 0; i < tracks->n; i++) {
        free(tracks->list[i].row.target);
        free(tracks->list[i].row.reason);
        spout_free(tracks->list[i].spout);
    }
    free(tracks->list);
    *tracks = (struct tracks){0};
}

static struct track *track_of(struct tracks *tracks, const struct id *execution)
{
    for (size_t i = 0; i < tracks->n; i++) {
        if (id_equal(&tracks->list[i].row.execution, execution)) {
            return &tracks->list[i];
        }
    }
    return NULL;
}

bool track_ended(const struct track *track)
{
    return track->row.state == EXECUTION_ENDED;
}

const struct track *track_next(const struct tracks *tracks,
                               const struct track *track)
{
    for (size_t i = 0; i < tracks->n; i++) {
        const struct track *other = &tracks->list[i];
        if (other->row.attempt == track->row.attempt + 1 &&
            strcmp(other->row.target, track->row.target) == 0) {
            return other;
        }
    }
    return NULL;
}

bool track_held(const struct tracks *tracks, const struct track *track)
{
    return track_ended(track) && !track->followed && !tracks->over &&
           track->row.attempt < tracks->attempts &&
           track->row.outcome != OUTCOME_SUCCEEDED;
}

bool track_whole(const struct track *track)
{
    return track_ended(track) && track->have >= track->wanted;
}

static void track_wants(struct track *track, int64_t number)
{
    if (number > track->wanted) {
        track->wanted = number;
    }
    if (track->have >= track->wanted) {
        track->behind = 0;
    } else if (track->behind == 0) {
        track->behind = clock_steady();
    }
}

/* The chunk of that number, if it is the next. */
static int track_chunk(struct track *track, int64_t number,
                       const struct chunk *chunk, struct err *err)
{
    if (number == track->have + 1) {
        if (spout_add(track->spout, chunk, err) < 0) {
            return -1;
        }
        track->have = number;
    }
    track_wants(track, number);
    return 0;
}

static void track_end(struct track *track, const struct execution_row *row)
{
    struct execution_row *own = &track->row;

    free(own->reason);
    own->reason = row->reason != NULL ? must_strdup(row->reason) : NULL;
    own->state = EXECUTION_ENDED;
    own->outcome = row->outcome;
    own->finished = row->finished;
    own->was_started = row->was_started;
    own->exit = row->exit;
    own->signal = row->signal;
    own->chunks = row->chunks;
    own->dropped = row->dropped;
    track_wants(track, row->chunks);
}

static int on_started(struct track *track, const void *payload, struct err *err)
{
    const struct execution_started *started = payload;

    (void)err;
    if (!track_ended(track)) {
        track->row.state = EXECUTION_RUNNING;
    }
    track->row.started = started->result.head.issued;
    return 0;
}

static int on_output(struct track *track, const void *payload, struct err *err)
{
    const struct execution_output *output = payload;

    return track_chunk(track, output->result.number, &output->chunk, err);
}

static int on_finished(struct track *track, const void *payload,
                       struct err *err)
{
    const struct execution_finished *finished = payload;
    const struct list *told = &finished->output;
    int64_t first = finished->chunks - (int64_t)told->n + 1;

    for (size_t i = 0; i < told->n; i++) {
        if (track_chunk(track, first + (int64_t)i,
                        &list_at(told, struct chunk, i), err) < 0) {
            return -1;
        }
    }
    track_end(track, &(struct execution_row){
                         .outcome = finished->outcome,
                         .finished = finished->result.head.issued,
                         .was_started = finished->started,
                         .exit = finished->exit,
                         .signal = finished->signal,
                         .chunks = finished->chunks,
                         .dropped = finished->dropped,
                         .reason = finished->reason,
                     });
    return 0;
}

int tracks_event(struct tracks *tracks, const struct event *event,
                 struct err *err)
{
    static const struct {
        enum event_kind kind;
        int (*on)(struct track *, const void *, struct err *);
    } handlers[] = {
        {EVENT_STARTED, on_started},
        {EVENT_OUTPUT, on_output},
        {EVENT_FINISHED, on_finished},
    };

    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        const struct result *result = event->payload;
        if (event->kind != handlers[i].kind) {
            continue;
        }
        struct track *track = track_of(tracks, &result->execution);
        return track != NULL ? handlers[i].on(track, result, err) : 0;
    }
    return 0;
}

/* Only `lost` gives way, to what the executor says after all. */
static bool row_counts(const struct track *track,
                       const struct execution_row *row)
{
    return !track_ended(track) || (track->row.outcome == OUTCOME_LOST &&
                                   row->state == EXECUTION_ENDED);
}

static void take_row(struct tracks *tracks, const struct execution_row *row)
{
    struct track *track = track_of(tracks, &row->execution);

    if (track == NULL) {
        track = track_add(tracks, row);
    }
    if (!row_counts(track, row)) {
        return;
    }
    track->row.silent = row->silent;
    track->row.heard = row->heard;
    track->row.expires = row->expires;
    track->row.due = row->due;
    if (row->started != 0) {
        track->row.started = row->started;
    }
    if (row->state == EXECUTION_ENDED) {
        track_end(track, row);
    } else if (row->state > track->row.state) {
        track->row.state = row->state;
    }
}

void tracks_rows(struct tracks *tracks, const struct run_answer *run)
{
    tracks->over = run->run.outcome != OUTCOME_NONE;
    for (size_t i = 0; i < run->executions.n; i++) {
        const struct execution_row *row =
            &list_at(&run->executions, struct execution_row, i);
        if (is_wanted(tracks, row)) {
            take_row(tracks, row);
        }
    }
}

int track_pieces(struct track *track, const struct output_answer *output,
                 struct err *err)
{
    for (size_t i = 0; i < output->pieces.n; i++) {
        const struct piece *piece = &list_at(&output->pieces, struct piece, i);
        if (!id_equal(&piece->execution, &track->row.execution)) {
            continue;
        }
        if (track_chunk(track, piece->number, &piece->chunk, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What the exit status says, in parentheses; "" where there is none to say. */
static void exit_add(struct buf *out, const struct execution_row *row)
{
    if (row->signal > 0) {
        (void)buf_addf(out, " (signal %lld)", (long long)row->signal);
    } else if (row->outcome == OUTCOME_SUCCEEDED || row->exit != 0) {
        (void)buf_addf(out, " (exit %lld)", (long long)row->exit);
    }
}

/* What ended within 50 ms is told by `finished` alone: its start is not. */
static void duration_add(struct buf *out, const struct execution_row *row)
{
    int64_t ms = row->finished - row->started;

    if (row->started == 0 && row->outcome <= OUTCOME_FAILED) {
        (void)buf_adds(out, " at once");
    }
    if (row->started == 0 || row->finished == 0 || ms < 0) {
        return;
    }
    if (ms < 60000) {
        (void)buf_addf(out, " in %lld.%02lld s", (long long)(ms / 1000),
                       (long long)(ms % 1000 / 10));
        return;
    }
    char text[24];
    duration_format(ms / 1000, text, sizeof(text));
    (void)buf_addf(out, " in %s", text);
}

char *execution_text(const struct execution_row *row)
{
    struct buf out = {0};

    if (row->state != EXECUTION_ENDED) {
        (void)buf_addf(&out, "%s%s",
                       word_text(&execution_state_words, row->state),
                       row->cancelled != 0 ? ", being cancelled" : "");
        return buf_take(&out);
    }
    _cleanup_free_ char *outcome = word_spoken(&outcome_words, row->outcome);
    (void)buf_adds(&out, outcome);
    exit_add(&out, row);
    duration_add(&out, row);
    if (row->reason != NULL) {
        (void)buf_addf(&out, ": %s", row->reason);
    }
    return buf_take(&out);
}
