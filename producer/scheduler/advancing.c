/* advancing.c: see advancing.h. */
#include "producer/scheduler/advancing.h"

#include "base/clock.h"
#include "model/advance.h"
#include "producer/scheduler/requests.h"

#define ASK 5000 /* ms for an answer of the broker */

static const char moved_text[] =
    "SELECT id, p.progress FROM runs r,"
    " LATERAL (SELECT run_progress(r.id, $1) AS progress) p"
    " WHERE r.advancing AND r.progress IS DISTINCT FROM p.progress"
    " LIMIT 1000";

static int ask(struct daemon *daemon, const struct id *run,
               const struct hash *progress, int64_t now, struct err *err)
{
    struct run_advance advance = {
        .request = {.head = head_new(&daemon->root, &daemon->by, now),
                    .expires = now + REQUEST_LIFE},
        .run = *run,
        .progress = *progress};

    advance.request.head.id = advance_id(run, progress);
    if (request_say(daemon, EVENT_RUN_ADVANCE, &advance, err) != 0) {
        return -1;
    }
    log_info(&daemon->log, "asked what follows", L_ID("run", run));
    return 0;
}

int advancing_ask(struct daemon *daemon, struct said **said, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    int64_t now = clock_now();

    if (PG(daemon->postgres, moved_text, &rows, err, P_TIME(now)) != 0 ||
        (rows_n(rows) > 0 &&
         kafka_writer_know(daemon->writer, REQUESTS_TOPIC, ASK, err) != 0)) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct id run = row_id(rows, i, "id");
        struct hash progress = row_hash(rows, i, "progress");
        struct id id = advance_id(&run, &progress);
        if (said_now(said, &id) &&
            ask(daemon, &run, &progress, now, err) != 0) {
            return -1;
        }
    }
    return 0;
}
