/*
 * cmd_output.c: output, watch: what a run printed, from the record, as it was:
 * its standard output on ours, its standard error on ours. output tells what
 * there is, target after target; watch goes on until the run has ended.
 */
#include <string.h>

#include "model/read.h"
#include "producer/submit/follow.h"
#include "producer/submit/recorded.h"
#include "producer/submit/shown.h"
#include "producer/submit/track.h"

struct paging {
    struct submit *submit;
    char id[ID_TEXT];
    bool first;          /* no page was printed yet */
    struct list targets; /* char *; none: all of the run's */
};

static int ask_page(struct paging *paging, const struct track *track,
                    struct output_answer *ret_answer, struct err *err)
{
    struct run_output output = {.run = paging->id,
                                .execution = track->row.execution,
                                .after = track->have};

    return submit_ask(paging->submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_RUN_OUTPUT,
                                         .payload = &output,
                                         .answer = &output_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

/* For programs: a page is an object; all of them an array, or a line each. */
static int print_page(struct paging *paging, struct track *track,
                      const struct output_answer *answer, struct err *err)
{
    const struct print *print = &paging->submit->print;
    _cleanup_buf_ struct buf json = {0};

    if (print->format == FORMAT_JSON &&
        buf_adds(&json, paging->first ? "[" : ",\n") < 0) {
        return err_set(err, ERR_RETRY, "out of memory for output");
    }
    if (table_encode(&output_answer_table, answer, &json, err) != 0) {
        return -1;
    }
    if (print->format == FORMAT_JSONL && buf_adds(&json, "\n") < 0) {
        return err_set(err, ERR_RETRY, "out of memory for output");
    }
    if (answer->pieces.n > 0) {
        track->have =
            list_at(&answer->pieces, struct piece, answer->pieces.n - 1).number;
    }
    paging->first = false;
    return print_bytes(print, json.data, json.len, err);
}

/* What is there comes out, over what is missing: that is said at the end. */
static int put_pieces(struct track *track, const struct output_answer *answer,
                      struct err *err)
{
    for (size_t i = 0; i < answer->pieces.n; i++) {
        const struct piece *piece = &list_at(&answer->pieces, struct piece, i);
        if (spout_add(track->spout, &piece->chunk, err) != 0) {
            return -1;
        }
        track->have = piece->number;
    }
    return 0;
}

static int put_page(struct paging *paging, struct track *track,
                    const struct output_answer *answer, struct err *err)
{
    int format = paging->submit->print.format;

    return format == FORMAT_JSON || format == FORMAT_JSONL
               ? print_page(paging, track, answer, err)
               : put_pieces(track, answer, err);
}

static void tell_missing(const struct track *track, int64_t missing, bool ended)
{
    if (missing > 0) {
        say("%lld pieces of %s's output are missing", (long long)missing,
            track->row.target);
    }
    if (track->row.dropped > 0) {
        say("%lld bytes of %s's output beyond the limit were not kept",
            (long long)track->row.dropped, track->row.target);
    }
    if (!ended) {
        say("%s has not ended: this is what came so far", track->row.target);
    }
}

static int put_execution(struct paging *paging, struct track *track,
                         struct err *err)
{
    for (bool more = true; more;) {
        struct output_answer answer = {0};
        int64_t had = track->have;
        if (ask_page(paging, track, &answer, err) != 0) {
            return -1;
        }
        int done = put_page(paging, track, &answer, err);
        more = answer.more && track->have > had;
        int64_t missing = answer.missing;
        bool ended = answer.ended;
        table_done(&output_answer_table, &answer);
        if (done != 0) {
            return -1;
        }
        if (!more) {
            tell_missing(track, missing, ended);
        }
    }
    return spout_end(track->spout, err);
}

static void set_spout(const struct submit *submit, const struct track *track)
{
    if (flag_given(submit, "raw")) {
        spout_raw(track->spout);
    }
    if (flag_given(submit, "stderr")) {
        spout_only(track->spout, STREAM_STDERR);
    }
}

static int put_all(struct paging *paging, struct tracks *tracks,
                   struct err *err)
{
    for (size_t i = 0; i < tracks->n; i++) {
        struct track *track = &tracks->list[i];
        set_spout(paging->submit, track);
        if ((paging->targets.n == 0 ||
             texts_hold(&paging->targets, track->row.target)) &&
            put_execution(paging, track, err) != 0) {
            return -1;
        }
    }
    return paging->submit->print.format == FORMAT_JSON
               ? print_bytes(&paging->submit->print,
                             paging->first ? "[]\n" : "]\n",
                             paging->first ? 3 : 2, err)
               : 0;
}

int cmd_output(struct submit *submit, struct err *err)
{
    struct run_answer answer = {0};
    struct paging paging = {.submit = submit, .first = true};
    struct tracks tracks;

    if (recorded_find(submit, &answer, err) != 0) {
        return -1;
    }
    id_format(&answer.run.run, paging.id);
    tracks_init(&tracks, &answer, NULL);
    int done = run_targets_read(submit, &answer, &paging.targets, err) != 0
                   ? -1
                   : put_all(&paging, &tracks, err);
    texts_done(&paging.targets);
    tracks_done(&tracks);
    table_done(&run_answer_table, &answer);
    return done;
}

int cmd_watch(struct submit *submit, struct err *err)
{
    struct run_answer answer = {0};

    struct list targets = {0};

    if (recorded_find(submit, &answer, err) != 0) {
        return -1;
    }
    int done = run_targets_read(submit, &answer, &targets, err) != 0
                   ? -1
                   : watch_run(submit, &answer, &targets, err);
    texts_done(&targets);
    table_done(&run_answer_table, &answer);
    return done;
}
