/* views.c: see views.h. */
#include "consumer/authorizer/views.h"

#include <string.h>

struct seer asking_seer(const struct asking *asking)
{
    return (struct seer){.user = asking->signer.person.user,
                         .now = asking->now,
                         .all = asking_by_administrator(asking)};
}

struct arguments {
    struct list pairs; /* struct pair */
};

static const struct field arguments_fields[] = {
    {"arguments", FIELD_PAIRS, .max = PARAMETER_VALUE_MAX,
     .at = offsetof(struct arguments, pairs)},
};

static const struct table arguments_table = {.name = "arguments",
                                             TABLE(arguments_fields),
                                             .size = sizeof(struct arguments)};

int arguments_json(const struct list *arguments, char **ret_json,
                   struct err *err)
{
    struct arguments all = {*arguments};
    _cleanup_buf_ struct buf json = {0};

    if (table_encode(&arguments_table, &all, &json, err) != 0) {
        return -1;
    }
    *ret_json = buf_take(&json);
    return 0;
}

/* While nobody has decided it, and it has not ended otherwise. */
static struct run_pending pending_of(const struct rows *rows, size_t i)
{
    struct approval approval = {.count = row_int(rows, i, "wanted"),
                                .group =
                                    (char *)row_text(rows, i, "approvers")};

    if (row_is_null(rows, i, "wanted") || !row_is_null(rows, i, "outcome")) {
        return (struct run_pending){0};
    }
    return (struct run_pending){
        .whose = approval_text(&approval),
        .lacking = approval.count - row_int(rows, i, "given"),
        .until = row_time(rows, i, "until"),
    };
}

int run_row_of(const struct rows *rows, size_t i, struct run_row *ret_row,
               struct err *err)
{
    const char *json = row_text(rows, i, "arguments");
    const char *outcome = row_text(rows, i, "outcome");
    struct arguments all;

    if (table_decode(&arguments_table, json, strlen(json), &all, err) != 0) {
        return err_wrap(err, "table runs");
    }
    *ret_row = (struct run_row){
        .run = row_id(rows, i, "id"),
        .command_id = row_id(rows, i, "command_id"),
        .command = must_strdup(row_text(rows, i, "command")),
        .version = row_int(rows, i, "version"),
        .asked_by = must_strdup(row_text(rows, i, "asked_by")),
        .asked = row_time(rows, i, "asked_at"),
        .finished = row_time(rows, i, "finished_at"),
        .outcome = outcome == NULL ? 0 : word_value(&outcome_words, outcome),
        .arguments = all.pairs,
        .pending = pending_of(rows, i),
        .schedule = row_id(rows, i, "schedule_id"),
    };
    return 0;
}

bool run_text_is_good(const char *text)
{
    size_t digits = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("0123456789abcdef-", *c) == NULL) {
            return false;
        }
        digits += *c != '-';
    }
    return digits >= 4 && strlen(text) < ID_TEXT;
}

int run_find(struct asking *asking, const char *text, struct id *ret_run,
             struct err *err)
{
    _cleanup_rows_ struct rows *rows = NULL;

    if (!run_text_is_good(text)) {
        return asking_refuse(asking, REPLY_INVALID,
                             "a run is named by its id, "
                             "or by an ending of it of at least 4 digits");
    }
    if (PG(asking->daemon->postgres,
           "SELECT r.id FROM runs r WHERE reverse(r.id::text) LIKE "
           "reverse($4::text) || '%' AND " RUN_VISIBLE " LIMIT 2",
           &rows, err, RUN_VISIBLE_PARAMS(asking), P_TEXT(text)) != 0) {
        return -1;
    }
    if (rows_n(rows) == 0) {
        return asking_hide(asking, "no run ...%s for them", text);
    }
    if (rows_n(rows) > 1) {
        return asking_refuse(asking, REPLY_CONFLICT,
                             "several runs end in %s: "
                             "give more digits",
                             text);
    }
    *ret_run = row_id(rows, 0, "id");
    return 0;
}
