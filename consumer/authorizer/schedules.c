/*
 * schedules.c: schedule.set, remove, list: when commands run by themselves, and
 * on whose authority. What the scheduler fires of them is decided in ticks.c.
 *
 * A schedule is set for the newest version of its command; a version that is
 * saved after leaves it as it is, for the version that its author signed it
 * for, until somebody signs it anew.
 */
#include <string.h>

#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/revocations.h"
#include "model/result.h"
#include "model/schedule_answer.h"
#include "model/timing.h"

/* schedule.set */

/* The command is there, in the version that is meant. Locked: who saves at once
 * waits here. */
static int check_command(struct asking *asking, const struct schedule_set *set,
                         struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT name, hash FROM commands WHERE id = $1 "
           "AND retired_at IS NULL FOR UPDATE",
           &rows, err, P_ID(&set->command)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND,
                             "there is no such command");
    }
    asking_about(asking, row_text(rows, 0, "name"));
    struct hash newest = row_hash(rows, 0, "hash");
    return hash_equal(&newest, &set->saved)
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT,
                               "another version of %s was saved meanwhile: "
                               "look at it, then save again",
                               row_text(rows, 0, "name"));
}

/* Its own words are good, by this machine's clock and zones too. */
static int check_times(struct asking *asking, const struct schedule_set *set)
{
    struct err bad = {0};
    _cleanup_timing_ struct timing timing = {0};

    if (schedule_check(set, &bad) != 0 ||
        timing_read(set, &timing, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    if (timing.once && set->at <= asking->now) {
        return asking_refuse(asking, REPLY_INVALID,
                             "at: that moment has passed");
    }
    return standing_scheduled(asking_standing(asking), &set->schedule, set->seq)
               ? 0
               : asking_refuse(asking, REPLY_BEHIND,
                               "it was taken away meanwhile: ask again to set "
                               "it once more");
}

/* Nobody is there to be asked for values, so all must be good as they are. */
static int check_content(struct asking *asking, const struct schedule_set *set,
                         const struct command_save *save)
{
    const struct list none = {0};
    struct err bad = {0};

    if (arguments_check(&save->parameters, &set->arguments, NULL, &bad) != 0 ||
        secrets_check(&save->parameters, &none, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    if (save->approve.count > 0) {
        return asking_refuse(asking, REPLY_INVALID,
                             "what has to be approved does not run by itself");
    }
    for (size_t i = 0; i < set->targets.n; i++) {
        const char *target = list_at(&set->targets, char *, i);
        if (!texts_hold(&save->targets, target)) {
            return asking_refuse(asking, REPLY_INVALID,
                                 "command %s does not name %s", save->name,
                                 target);
        }
    }
    return set->targets.n > 0
               ? 0
               : asking_refuse(asking, REPLY_INVALID, "no target is named");
}

/* A tick from before it ran, for whatever reason, is not fired any more. */
static int store_set(struct asking *asking, const struct schedule_set *set,
                     struct err *err)
{
    return PG(asking->daemon->postgres,
              "INSERT INTO schedules (id, command_id, hash, command_hash, "
              "cron, at, zone, paused, set_by, set_at, since) VALUES "
              "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
              "ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, "
              "command_hash = excluded.command_hash, "
              "paused = excluded.paused, set_by = excluded.set_by, "
              "set_at = excluded.set_at, void = false, removed_at = NULL, "
              "since = CASE WHEN schedules.paused OR schedules.void "
              "OR schedules.removed_at IS NOT NULL THEN excluded.since "
              "ELSE schedules.since END",
              NULL, err, P_ID(&set->schedule), P_ID(&set->command),
              P_HASH(&asking->request->hash), P_HASH(&set->saved),
              P_TEXT(set->cron), P_TIME(set->at), P_TEXT(set->zone),
              P_BOOL(set->paused), P_ID(&asking->signer.person.user),
              P_TIME(set->request.head.issued), P_TIME(asking->decision.at));
}

int on_schedule_set(struct asking *asking, struct err *err)
{
    const struct schedule_set *set = asking->request->payload;
    int done = check_times(asking, set) ?: check_command(asking, set, err);

    if (done != 0) {
        return done;
    }
    _cleanup_event_ struct event *saved =
        source_event(asking->source, &set->saved, EVENT_COMMAND_SAVE, err);
    if (saved == NULL) {
        return -1;
    }
    const struct command_save *save = saved->payload;
    return check_content(asking, set, save)
               ?: asking_made(asking, &asking->request->hash, &set->schedule, 0,
                              err)
               ?: asking_store(asking, err)
               ?: store_set(asking, set, err);
}

/* schedule.remove */

static int check_there(struct asking *asking, const struct id *schedule,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT c.name FROM schedules s JOIN commands c "
           "ON c.id = s.command_id WHERE s.id = $1 AND s.removed_at IS NULL "
           "FOR UPDATE OF s",
           &rows, err, P_ID(schedule)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND,
                             "there is no such schedule");
    }
    asking_about(asking, row_text(rows, 0, "name"));
    return 0;
}

int on_schedule_remove(struct asking *asking, struct err *err)
{
    const struct schedule_remove *said = asking->request->payload;

    return check_there(asking, &said->schedule, err)
               ?: entry_check(asking, err)
               ?: asking_made(asking, &asking->request->hash, &said->schedule,
                              0, err)
               ?: asking_store(asking, err)
               ?: entry_store(asking, err)
               ?: PG(asking->daemon->postgres,
                     "UPDATE schedules SET removed_at = $2 WHERE id = $1", NULL,
                     err, P_ID(&said->schedule), P_TIME(asking->decision.at))
               ?: closings_add(asking, err);
}

/* schedule.list */

/* Whether who signed it, and the version that it runs, still stand. */
static int find_stopped(struct asking *asking, const struct hash *hash,
                        const struct hash *saved, char **ret_stopped,
                        struct err *err)
{
    struct person author;

    if (proof_signed_by_administrator(asking->proof, hash, &author, err) == 0 &&
        proof_signed_by_administrator(asking->proof, saved, &author, err) ==
            0) {
        return 0;
    }
    if (err->kind != ERR_REJECT) {
        return -1;
    }
    *ret_stopped = must_strdup(err->text);
    err_clear(err);
    return 0;
}

static char *dup_cell(const struct rows *rows, size_t i, const char *column)
{
    const char *text = row_text(rows, i, column);

    return text == NULL ? NULL : must_strdup(text);
}

static int schedule_row_of(struct asking *asking, const struct rows *rows,
                           size_t i, struct schedule_row *row, struct err *err)
{
    struct hash hash = row_hash(rows, i, "hash");
    const char *outcome = row_text(rows, i, "outcome");

    *row = (struct schedule_row){
        .schedule = row_id(rows, i, "id"),
        .command = must_strdup(row_text(rows, i, "name")),
        .cron = dup_cell(rows, i, "cron"),
        .at = row_time(rows, i, "at"),
        .zone = must_strdup(row_text(rows, i, "zone")),
        .paused = row_bool(rows, i, "paused"),
        .version = row_int(rows, i, "version"),
        .saved = row_hash(rows, i, "command_hash"),
        .set = row_time(rows, i, "set_at"),
        .set_by = must_strdup(row_text(rows, i, "email")),
        .fired = row_time(rows, i, "tick_at"),
        .run = row_id(rows, i, "run"),
        .refused = dup_cell(rows, i, "reason"),
        .outcome = outcome == NULL ? 0 : word_value(&outcome_words, outcome),
    };
    _cleanup_event_ struct event *event =
        source_event(asking->source, &hash, EVENT_SCHEDULE_SET, err);
    if (event == NULL) {
        return -1;
    }
    row->catch_up = ((const struct schedule_set *)event->payload)->catch_up;
    return find_stopped(asking, &hash, &row->saved, &row->stopped, err);
}

static int find_schedules(struct asking *asking, const char *command,
                          struct rows **ret_rows, struct err *err)
{
    return PG(asking->daemon->postgres,
              "SELECT s.*, c.name, v.version, u.email, t.reason, r.id AS run, "
              "o.outcome FROM schedules s JOIN commands c "
              "ON c.id = s.command_id JOIN command_versions v "
              "ON v.hash = s.command_hash JOIN users u ON u.id = s.set_by "
              "LEFT JOIN requests t ON t.id = s.tick_id "
              "LEFT JOIN runs r ON r.id = s.tick_id "
              "LEFT JOIN run_outcomes o ON o.id = s.tick_id "
              "WHERE s.removed_at IS NULL "
              "AND ($1::text IS NULL OR c.name = $1::text) "
              "ORDER BY c.name, s.cron, s.at, s.zone LIMIT $2::integer",
              ret_rows, err, P_TEXT(command), P_INT(ROWS_MAX));
}

static int check_name(struct asking *asking, const char *command,
                      struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (command == NULL) {
        return 0;
    }
    asking_about(asking, command);
    if (PG(asking->daemon->postgres,
           "SELECT FROM commands WHERE name = $1 AND retired_at IS NULL", &rows,
           err, P_TEXT(command)) != 0) {
        return -1;
    }
    return rows_n(rows) > 0 ? 0 : asking_hide(asking, "no command %s", command);
}

static int answer_list(struct asking *asking, const char *command,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct schedules_answer answer = {0};
    int done = find_schedules(asking, command, &rows, err);

    for (size_t i = 0; done == 0 && i < rows_n(rows); i++) {
        struct schedule_row *row = list_grow(&answer.schedules, sizeof(*row));
        done = schedule_row_of(asking, rows, i, row, err);
    }
    if (done != 0) {
        table_done(&schedules_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &schedules_answer_table, &answer, err);
}

int on_schedule_list(struct asking *asking, struct err *err)
{
    const struct schedule_list *list = asking->request->payload;

    return check_name(asking, list->command, err)
               ?: answer_list(asking, list->command, err);
}
