/*
 * commands.c: saving commands, and showing them: to an administrator all of
 * them and how they came to be; to a runner those that are assigned to them,
 * without their scripts.
 */
#include <string.h>

#include "base/clock.h"
#include "consumer/authorizer/approvers.h"
#include "consumer/authorizer/closings.h"
#include "consumer/authorizer/handlers.h"
#include "consumer/authorizer/recipients.h"
#include "consumer/authorizer/revocations.h"
#include "consumer/authorizer/views.h"
#include "model/log_entry.h"

/* A dispatch carries the command inside an envelope, beside arguments and a
 * chain of people: what these may take at most is left free for them. */
#define DISPATCH_MAX 1000000
#define DISPATCH_REST (160 * 1024)

/* command.save */

static int check_content(struct asking *asking, const struct command_save *save)
{
    struct err bad = {0};
    size_t size = (asking->request->envelope.payload.len + 2) / 3 * 4;

    if (command_check(save, &bad) != 0) {
        return asking_refuse(asking, REPLY_INVALID, "%s", bad.text);
    }
    for (size_t i = 0; i < save->targets.n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list_at(&save->targets, char *, i),
                       list_at(&save->targets, char *, j)) == 0) {
                return asking_refuse(asking, REPLY_INVALID,
                                     "target %s is "
                                     "named twice",
                                     list_at(&save->targets, char *, i));
            }
        }
    }
    return size + DISPATCH_REST <= DISPATCH_MAX
               ? 0
               : asking_refuse(asking, REPLY_INVALID,
                               "the command has %zu "
                               "bytes as it would be sent, and at most %d fit "
                               "into a dispatch",
                               size, DISPATCH_MAX - DISPATCH_REST);
}

static int refuse_came_between(struct asking *asking, const struct rows *rows)
{
    char moment[TIME_TEXT];

    time_format(row_time(rows, 0, "saved_at"), moment);
    return asking_refuse(asking, REPLY_CONFLICT,
                         "version %lld of %s was saved "
                         "by %s at %s: look at it, then save again",
                         (long long)row_int(rows, 0, "version"),
                         row_text(rows, 0, "name"), row_text(rows, 0, "email"),
                         moment);
}

/* The row of this id or of this name, locked: who saves at once waits here. */
static int check_version(struct asking *asking, const struct command_save *save,
                         struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT c.id, c.name, c.version, c.hash, c.retired_at, v.saved_at, "
           "u.email "
           "FROM commands c JOIN command_versions v ON v.command_id = c.id "
           "AND v.version = c.version JOIN users u ON u.id = v.saved_by "
           "WHERE c.id = $1 OR (c.name = $2 AND c.retired_at IS NULL) "
           "ORDER BY c.id = $1 DESC "
           "FOR UPDATE OF c",
           &rows, err, P_ID(&save->command), P_TEXT(save->name)) != 0) {
        return -1;
    }
    struct hash last = {0};
    if (rows_n(rows) == 0) {
        return save->version == 1 && hash_equal(&save->previous, &last)
                   ? 0
                   : asking_refuse(asking, REPLY_CONFLICT,
                                   "a new command's "
                                   "version is 1, with none before it");
    }
    struct id id = row_id(rows, 0, "id");
    if (!id_equal(&id, &save->command)) {
        return refuse_came_between(asking, rows);
    }
    if (!row_is_null(rows, 0, "retired_at")) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "command %s was removed: that is for good. Save "
                             "it anew",
                             save->name);
    }
    if (strcmp(row_text(rows, 0, "name"), save->name) != 0) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a command keeps its name: "
                             "this one is %s",
                             row_text(rows, 0, "name"));
    }
    last = row_hash(rows, 0, "hash");
    return save->version == row_int(rows, 0, "version") + 1 &&
                   hash_equal(&save->previous, &last)
               ? 0
               : refuse_came_between(asking, rows);
}

/* What is named is there. What has a label may come and go: each run finds out,
 * and waits no longer than its target allows. */
static int check_targets(struct asking *asking, const struct command_save *save,
                         struct err *err)
{
    _cleanup_free_ char *names = names_array(&save->targets);
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT n.name, t.max_wait FROM unnest($1::text[]) n(name) "
           "LEFT JOIN targets t ON t.name = n.name AND t.state <> 'removed' "
           "WHERE n.name NOT LIKE '@%' "
           "AND (t.name IS NULL OR t.max_wait < $2)",
           &rows, err, P_TEXT(names), P_INT(save->wait)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return 0;
    }
    const char *name = row_text(rows, 0, "name");
    if (row_is_null(rows, 0, "max_wait")) {
        return asking_refuse(asking, REPLY_INVALID,
                             "there is no target %s: "
                             "submit target add %s",
                             name, name);
    }
    char longest[24];
    duration_format(row_int(rows, 0, "max_wait"), longest, sizeof(longest));
    return asking_refuse(asking, REPLY_INVALID,
                         "wait is longer than target %s "
                         "allows: at most %s",
                         name, longest);
}

static int store_saved(struct asking *asking, struct err *err)
{
    const struct command_save *save = asking->request->payload;
    const struct hash *hash = &asking->request->hash;
    _cleanup_free_ char *targets = names_array(&save->targets);
    struct postgres *postgres = asking->daemon->postgres;

    if (PG(postgres,
           "INSERT INTO commands (id, name, version, hash) VALUES "
           "($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET "
           "version = excluded.version, hash = excluded.hash",
           NULL, err, P_ID(&save->command), P_TEXT(save->name),
           P_INT(save->version), P_HASH(hash)) != 0) {
        return -1;
    }
    return PG(postgres,
              "INSERT INTO command_versions (command_id, version, hash, "
              "description, targets, saved_by, saved_at, notifies) "
              "VALUES ($1, $2, $3, $4, $5::text[], $6, $7, $8)",
              NULL, err, P_ID(&save->command), P_INT(save->version),
              P_HASH(hash), P_TEXT(save->description), P_TEXT(targets),
              P_ID(&asking->signer.person.user),
              P_TIME(save->request.head.issued), P_BOOL(save->notify.n > 0));
}

int on_command_save(struct asking *asking, struct err *err)
{
    const struct command_save *save = asking->request->payload;

    asking_about(asking, save->name);
    return check_content(asking, save)
               ?: check_version(asking, save, err)
               ?: check_targets(asking, save, err)
               ?: approvers_check(asking, &save->approve, NULL, err)
               ?: asking_made(asking, &asking->request->hash, &save->command,
                              save->version, err)
               ?: asking_store(asking, err)
               ?: store_saved(asking, err);
}

/* Reads. $1 the asker, $2 now, $3 whether they see everything, $4 a name, $6 a
 * version: an administrator sees each, anybody else the one that is theirs. */

#define VISIBLE_COMMANDS                                                 \
    "SELECT c.id, c.name, v.version, v.hash, v.description, "            \
    "array_to_string(v.targets, ',') AS targets, v.saved_at, "           \
    "u.email AS saved_by, (SELECT count(*) FROM assignments x "          \
    "WHERE x.command_id = c.id) AS runners FROM commands c "             \
    "LEFT JOIN assignments a ON a.command_id = c.id AND a.user_id = $1 " \
    "AND (a.until IS NULL OR a.until > $2) "                             \
    "JOIN command_versions v ON v.command_id = c.id AND v.version = "    \
    "CASE WHEN $3::boolean THEN coalesce($6::bigint, c.version) "        \
    "ELSE coalesce(a.pin, c.version) END "                               \
    "JOIN users u ON u.id = v.saved_by "                                 \
    "WHERE c.retired_at IS NULL "                                        \
    "AND ($3::boolean OR (a.hash IS NOT NULL AND NOT v.void)) "          \
    "AND ($4::text IS NULL OR c.name = $4::text) "                       \
    "AND ($6::bigint IS NULL OR v.version = $6::bigint) "                \
    "ORDER BY c.name LIMIT $5::integer"

int commands_visible(struct postgres *postgres, const struct seer *seer,
                     const struct command_named *named, struct rows **ret_rows,
                     struct err *err)
{
    return PG(postgres, VISIBLE_COMMANDS, ret_rows, err, P_ID(&seer->user),
              P_TIME(seer->now), P_BOOL(seer->all), P_TEXT(named->name),
              P_INT(ROWS_MAX),
              named->version == 0 ? P_NULL : P_INT(named->version));
}

static int find_visible(const struct asking *asking,
                        const struct command_named *named,
                        struct rows **ret_rows, struct err *err)
{
    struct seer seer = asking_seer(asking);

    return commands_visible(asking->daemon->postgres, &seer, named, ret_rows,
                            err);
}

static void add_names(struct list *names, const char *joined)
{
    _cleanup_free_ char *copy = must_strdup(joined);
    char *rest = copy;

    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        texts_add(names, name);
    }
}

static struct command_row command_row_of(const struct asking *asking,
                                         const struct rows *rows, size_t i)
{
    const char *description = row_text(rows, i, "description");
    struct command_row row = {
        .command = row_id(rows, i, "id"),
        .name = must_strdup(row_text(rows, i, "name")),
        .description = description == NULL ? NULL : must_strdup(description),
        .version = row_int(rows, i, "version"),
        .saved = row_time(rows, i, "saved_at"),
    };

    add_names(&row.targets, row_text(rows, i, "targets"));
    if (asking_by_administrator(asking)) {
        row.saved_by = must_strdup(row_text(rows, i, "saved_by"));
        row.runners = row_int(rows, i, "runners");
    }
    return row;
}

int on_command_list(struct asking *asking, struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;
    struct commands_answer answer = {0};

    if (find_visible(asking, &(struct command_named){0}, &rows, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct command_row *to = list_grow(&answer.commands, sizeof(*to));
        *to = command_row_of(asking, rows, i);
    }
    return asking_answer_take(asking, &commands_answer_table, &answer, err);
}

/* The script, with what proves who signed it. */
static int add_script(struct proof *proof, const struct event *event,
                      struct command_answer *answer, struct err *err)
{
    const struct head *head = event->payload;
    struct person author;

    proof_forget_used(proof);
    if (proof_administrator(proof, &head->by, &author, err) != 0) {
        return -1;
    }
    envelopes_add(&answer->envelopes, &event->envelope);
    proof_used(proof, &answer->envelopes);
    return 0;
}

static int add_runners(struct asking *asking, struct command_answer *answer,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT u.email FROM assignments a JOIN users u ON u.id = a.user_id "
           "WHERE a.command_id = $1 ORDER BY u.email LIMIT $2::integer",
           &rows, err, P_ID(&answer->command.command), P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        texts_add(&answer->runners, row_text(rows, i, "email"));
    }
    return 0;
}

/* Administrators see who runs it, and the script, which its runners see only
 * where it says so itself. `dated`: a version that was named is shown also
 * where its author's time is over since: it is to be read, and runs as
 * nothing. */
static int add_hidden(struct asking *asking, const struct event *event,
                      bool dated, struct command_answer *answer,
                      struct err *err)
{
    bool all = asking_by_administrator(asking);
    _cleanup_proof_ struct proof *proof =
        proof_new(&asking->daemon->roots, source_fetch, asking->source);

    if (!all) {
        return command_lets(event->payload, "see_script")
                   ? add_script(asking->proof, event, answer, err)
                   : 0;
    }
    return add_runners(asking, answer, err) != 0
               ? -1
               : add_script(dated ? proof : asking->proof, event, answer, err);
}

static int answer_command(struct asking *asking, const struct rows *rows,
                          const struct command_named *named, struct err *err)
{
    bool dated = named->version != 0;
    struct hash hash = row_hash(rows, 0, "hash");
    _cleanup_event_ struct event *event =
        source_event(asking->source, &hash, EVENT_COMMAND_SAVE, err);

    if (event == NULL) {
        return -1;
    }
    struct command_save *save = event->payload;
    struct command_answer answer = {.command = command_row_of(asking, rows, 0),
                                    .parameters = save->parameters,
                                    .args = save->args,
                                    .timeout = save->timeout,
                                    .wait = save->wait,
                                    .pace = save->pace,
                                    .approve = save->approve};
    save->pace = (struct pace){0};
    save->approve = (struct approval){0};
    save->parameters = (struct list){0};
    save->args = (struct list){0};
    if (asking_by_administrator(asking)) {
        answer.notify = save->notify;
        save->notify = (struct list){0};
    }
    if (add_hidden(asking, event, dated, &answer, err) != 0 ||
        recipients_add(asking, &named->targets, &answer, err) != 0) {
        table_done(&command_answer_table, &answer);
        return -1;
    }
    return asking_answer_take(asking, &command_answer_table, &answer, err);
}

int on_command_show(struct asking *asking, struct err *err)
{
    const struct command_named *named = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;

    asking_about(asking, named->name);
    if (find_visible(asking, named, &rows, err) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no command %s for them, or no such version",
                           named->name);
    }
    if (answer_command(asking, rows, named, err) != 0) {
        /* A row that says yes without a good envelope is an error. */
        return err->kind == ERR_REJECT
                   ? asking_refuse_or_hide(asking, err->text)
                   : -1;
    }
    return 0;
}

int on_command_versions(struct asking *asking, struct err *err)
{
    const struct command_named *named = asking->request->payload;
    _cleanup_rows_ struct rows *rows = NULL;
    struct versions_answer answer = {0};

    asking_about(asking, named->name);
    if (PG(asking->daemon->postgres,
           "SELECT v.version, v.hash, v.saved_at, u.email FROM commands c "
           "JOIN command_versions v ON v.command_id = c.id JOIN users u ON "
           "u.id = v.saved_by WHERE c.name = $1 AND c.retired_at IS NULL "
           "ORDER BY v.version DESC "
           "LIMIT $2::integer",
           &rows, err, P_TEXT(named->name), P_INT(ROWS_MAX)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no command %s", named->name);
    }
    for (size_t i = 0; i < rows_n(rows); i++) {
        struct version_row *to = list_grow(&answer.versions, sizeof(*to));
        to->version = row_int(rows, i, "version");
        to->hash = row_hash(rows, i, "hash");
        to->saved = row_time(rows, i, "saved_at");
        to->saved_by = must_strdup(row_text(rows, i, "email"));
    }
    return asking_answer_take(asking, &versions_answer_table, &answer, err);
}

/* command.retire */

static int check_there(struct asking *asking, const struct id *command,
                       struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (PG(asking->daemon->postgres,
           "SELECT name, retired_at FROM commands WHERE id = $1 FOR UPDATE",
           &rows, err, P_ID(command)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_refuse(asking, REPLY_NOT_FOUND,
                             "there is no such command");
    }
    asking_about(asking, row_text(rows, 0, "name"));
    return row_is_null(rows, 0, "retired_at")
               ? 0
               : asking_refuse(asking, REPLY_CONFLICT, "%s is removed already",
                               row_text(rows, 0, "name"));
}

int on_command_retire(struct asking *asking, struct err *err)
{
    const struct command_retire *said = asking->request->payload;
    const struct id *command = &said->command;
    int done = check_there(asking, command, err)
                   ?: entry_check(asking, err)
                   ?: asking_made(asking, &asking->request->hash, command, 0,
                                  err)
                   ?: asking_store(asking, err)
                   ?: entry_store(asking, err);

    if (done != 0) {
        return done;
    }
    return PG(asking->daemon->postgres,
              "UPDATE commands SET retired_at = $2 WHERE id = $1", NULL, err,
              P_ID(command), P_TIME(asking->decision.at))
               ?: PG(asking->daemon->postgres,
                     "DELETE FROM assignments WHERE command_id = $1", NULL, err,
                     P_ID(command))
               ?: PG(asking->daemon->postgres,
                     "UPDATE schedules SET removed_at = $2 "
                     "WHERE command_id = $1 AND removed_at IS NULL",
                     NULL, err, P_ID(command), P_TIME(asking->decision.at))
               ?: closings_add(asking, err);
}
