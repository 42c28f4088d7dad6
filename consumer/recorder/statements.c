/* statements.c: rows as statements and their parameters; see rows.h. Each is
 * harmless when it is done twice. */
#include <string.h>

#include "consumer/recorder/rows.h"
#include "model/mail.h"

static void add(struct row *row, struct param param)
{
    if (row->n == ROW_PARAMS) {
        abort();
    }
    row->params[row->n++] = param;
}

static struct param id_or_null(const struct id *id)
{
    return id_is_zero(id) ? P_NULL : P_ID(id);
}

static struct param hash_or_null(const struct hash *hash)
{
    return hash_is_zero(hash) ? P_NULL : P_HASH(hash);
}

static struct param word_or_null(const struct words *words, int value)
{
    return value == 0 ? P_NULL : P_TEXT(word_text(words, value));
}

void claim_statement(const struct claim_row *claim, struct row *ret_row)
{
    *ret_row = (struct row){
        .statement = "INSERT INTO claims (execution_id, target, generation,"
                     " claim_offset, kind, incarnation, closing, service_hash,"
                     " appended_at, reason)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                     " ON CONFLICT DO NOTHING"};
    add(ret_row, P_ID(&claim->execution));
    add(ret_row, P_TEXT(claim->place.target));
    add(ret_row, P_INT(claim->place.generation));
    add(ret_row, P_INT(claim->offset));
    add(ret_row, P_TEXT(word_text(&claim_kind_words, claim->kind)));
    add(ret_row, id_or_null(&claim->incarnation));
    add(ret_row, word_or_null(&closing_words, claim->closing));
    add(ret_row, hash_or_null(&claim->service));
    add(ret_row, P_TIME(claim->appended));
    add(ret_row, claim->kind == CLAIM_VOID ? P_TEXT(claim->reason) : P_NULL);
}

static void started_statement(const struct event *event,
                              const struct speaker *speaker,
                              struct row *ret_row)
{
    const struct execution_started *started = event->payload;

    *ret_row = (struct row){
        .statement =
            "INSERT INTO results (execution_id, incarnation, claim_offset,"
            " service_hash, started_at, started_hash)"
            " VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (execution_id) DO UPDATE SET"
            " incarnation = excluded.incarnation,"
            " claim_offset = excluded.claim_offset,"
            " service_hash = excluded.service_hash,"
            " started_at = excluded.started_at,"
            " started_hash = excluded.started_hash"};
    add(ret_row, P_ID(&started->result.execution));
    add(ret_row, id_or_null(&started->result.incarnation));
    add(ret_row, P_INT(started->claim));
    add(ret_row, P_HASH(&speaker->service));
    add(ret_row, P_TIME(started->result.head.issued));
    add(ret_row, P_HASH(&event->hash));
}

static const char finished_text[] =
    "INSERT INTO results AS r (execution_id, incarnation, claim_offset,"
    " service_hash, finished_at, finished_hash, outcome, said_by,"
    " was_started, exit_status, signal, chunks, chain_head, dropped, reason,"
    " core, usage)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
    " $15, $16, CASE WHEN $17::bigint IS NOT NULL THEN"
    " jsonb_build_object('wall', $17::bigint, 'user', $18::bigint,"
    " 'system', $19::bigint, 'memory', $20::bigint, 'read', $21::bigint,"
    " 'written', $22::bigint) END)"
    " ON CONFLICT (execution_id) DO UPDATE SET"
    " incarnation = coalesce(excluded.incarnation, r.incarnation),"
    " claim_offset = excluded.claim_offset,"
    " service_hash = excluded.service_hash,"
    " finished_at = excluded.finished_at,"
    " finished_hash = excluded.finished_hash,"
    " outcome = excluded.outcome, said_by = excluded.said_by,"
    " was_started = coalesce(excluded.was_started, r.was_started),"
    " exit_status = excluded.exit_status, signal = excluded.signal,"
    " chunks = excluded.chunks, chain_head = excluded.chain_head,"
    " dropped = excluded.dropped, reason = excluded.reason,"
    " core = excluded.core, usage = excluded.usage,"
    " recorded_at = now()";

/* What only who executed it knows is null where the scheduler speaks. */
static void add_how(const struct execution_finished *finished, bool executor,
                    struct row *row)
{
    bool ran = executor && finished->started;

    add(row, executor || finished->started || finished->outcome != OUTCOME_LOST
                 ? P_BOOL(finished->started)
                 : P_NULL);
    add(row, ran ? P_INT(finished->exit) : P_NULL);
    add(row, ran && finished->signal != 0 ? P_INT(finished->signal) : P_NULL);
    add(row, executor ? P_INT(finished->chunks) : P_NULL);
    add(row, hash_or_null(&finished->result.previous));
    add(row, executor ? P_INT(finished->dropped) : P_NULL);
}

/* Null where an executor of before says nothing of it. */
static void add_usage(const struct execution_finished *finished, bool executor,
                      struct row *row)
{
    const struct usage *usage = &finished->usage;
    const int64_t all[] = {usage->wall,   usage->user, usage->sys,
                           usage->memory, usage->read, usage->written};
    bool known = executor && usage->memory > 0;

    add(row, known ? P_BOOL(finished->core) : P_NULL);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        add(row, known ? P_INT(all[i]) : P_NULL);
    }
}

static void finished_statement(const struct event *event,
                               const struct speaker *speaker,
                               struct row *ret_row)
{
    const struct execution_finished *finished = event->payload;
    bool executor = speaker->kind == SERVICE_EXECUTOR;

    *ret_row = (struct row){.statement = finished_text};
    add(ret_row, P_ID(&finished->result.execution));
    add(ret_row, id_or_null(&finished->result.incarnation));
    add(ret_row, P_INT(finished->claim));
    add(ret_row, P_HASH(&speaker->service));
    add(ret_row, P_TIME(finished->result.head.issued));
    add(ret_row, P_HASH(&event->hash));
    add(ret_row, P_TEXT(word_text(&outcome_words, finished->outcome)));
    add(ret_row, P_TEXT(word_text(&said_by_words,
                                  executor ? SAID_EXECUTOR : SAID_SCHEDULER)));
    add_how(finished, executor, ret_row);
    add(ret_row, P_TEXT(finished->reason));
    add_usage(finished, executor, ret_row);
}

void result_statement(const struct event *event, const struct speaker *speaker,
                      struct row *ret_row)
{
    if (event->kind == EVENT_STARTED) {
        started_statement(event, speaker, ret_row);
    } else {
        finished_statement(event, speaker, ret_row);
    }
}

static void add_chunk(const struct event *event, int64_t number,
                      const struct chunk *chunk, struct row *ret_row)
{
    const struct result *result = event->payload;

    *ret_row = (struct row){
        .statement = "INSERT INTO outputs (execution_id, number, stream, data,"
                     " at, hash) VALUES ($1, $2, $3, $4, $5, $6)"
                     " ON CONFLICT DO NOTHING"};
    add(ret_row, P_ID(&result->execution));
    add(ret_row, P_INT(number));
    add(ret_row, P_TEXT(word_text(&stream_words, chunk->stream)));
    add(ret_row, P_BUF(&chunk->data));
    add(ret_row, P_TIME(result->head.issued));
    add(ret_row, P_HASH(&event->hash));
}

bool chunk_statement(const struct event *event, size_t i, struct row *ret_row)
{
    if (event->kind == EVENT_OUTPUT && i == 0) {
        const struct execution_output *output = event->payload;
        add_chunk(event, output->result.number, &output->chunk, ret_row);
        return true;
    }
    if (event->kind != EVENT_FINISHED) {
        return false;
    }
    const struct execution_finished *finished = event->payload;
    const struct list *chunks = &finished->output;
    if (i >= chunks->n) {
        return false;
    }
    add_chunk(event, finished->chunks - (int64_t)(chunks->n - i) + 1,
              &list_at(chunks, struct chunk, i), ret_row);
    return true;
}

void hello_statements(const struct executor_hello *hello, int64_t heard,
                      const char *running, struct row ret_rows[static 2])
{
    ret_rows[0] = (struct row){
        .statement =
            "INSERT INTO executors (name, target, incarnation, hello_at,"
            " heard_at, slots, version, running)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8::uuid[])"
            " ON CONFLICT (name) DO UPDATE SET target = excluded.target,"
            " incarnation = excluded.incarnation,"
            " hello_at = excluded.hello_at, heard_at = excluded.heard_at,"
            " slots = excluded.slots, version = excluded.version,"
            " running = excluded.running"};
    add(&ret_rows[0], P_TEXT(hello->name));
    add(&ret_rows[0], P_TEXT(hello->target));
    add(&ret_rows[0], P_ID(&hello->incarnation));
    add(&ret_rows[0], P_TIME(hello->head.issued));
    add(&ret_rows[0], P_TIME(heard));
    add(&ret_rows[0], P_INT(hello->slots));
    add(&ret_rows[0], P_TEXT(hello->version));
    add(&ret_rows[0], P_TEXT(running));
    ret_rows[1] = (struct row){
        .statement =
            "INSERT INTO incarnations AS i (incarnation, executor, target,"
            " first_heard, last_heard, running)"
            " VALUES ($1, $2, $3, $4, $4, $5::uuid[])"
            " ON CONFLICT (incarnation) DO UPDATE SET"
            " last_heard = greatest(i.last_heard, excluded.last_heard),"
            " running = excluded.running"};
    add(&ret_rows[1], P_ID(&hello->incarnation));
    add(&ret_rows[1], P_TEXT(hello->name));
    add(&ret_rows[1], P_TEXT(hello->target));
    add(&ret_rows[1], P_TIME(heard));
    add(&ret_rows[1], P_TEXT(running));
}

static enum fate fate_of(enum event_kind kind)
{
    return kind == EVENT_MAIL_SENT      ? FATE_SENT
           : kind == EVENT_MAIL_REFUSED ? FATE_REFUSED
                                        : FATE_DELAYED;
}

void fate_statement(const struct event *event, const struct speaker *speaker,
                    struct row *ret_row)
{
    const struct mail_fate *fate = event->payload;

    *ret_row = (struct row){
        .statement =
            "INSERT INTO mails AS m (id, about, letter, user_id, email, fate,"
            " reason, tries, told_at, service_hash, fate_hash)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            " ON CONFLICT (id) DO UPDATE SET fate = excluded.fate,"
            " reason = excluded.reason, tries = excluded.tries,"
            " told_at = excluded.told_at,"
            " service_hash = excluded.service_hash,"
            " fate_hash = excluded.fate_hash WHERE m.fate = 'delayed'"};
    add(ret_row, P_ID(&fate->mail));
    add(ret_row, P_HASH(&fate->about));
    add(ret_row, P_TEXT(word_text(&letter_words, fate->letter)));
    add(ret_row, P_ID(&fate->user));
    add(ret_row, P_TEXT(fate->email));
    add(ret_row, P_TEXT(word_text(&fate_words, (int)fate_of(event->kind))));
    add(ret_row, P_TEXT(fate->reason));
    add(ret_row, P_INT(fate->tries));
    add(ret_row, P_TIME(fate->head.issued));
    add(ret_row, P_HASH(&speaker->service));
    add(ret_row, P_HASH(&event->hash));
}

char *uuid_array(const struct list *ids)
{
    char *text = must_calloc(1, ids->n * ID_TEXT + 3);
    char *at = text;

    *at++ = '{';
    for (size_t i = 0; i < ids->n; i++) {
        id_format(&list_at(ids, struct id, i), at);
        at += ID_TEXT - 1;
        *at++ = i + 1 < ids->n ? ',' : '}';
    }
    if (ids->n == 0) {
        *at = '}';
    }
    return text;
}
