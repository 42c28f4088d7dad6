/*
 * cmd_target_show.c: target list, target show: which targets there are, who
 * serves them, and how they do.
 */
#include "model/target.h"
#include "producer/submit/shown.h"

/* "drained", else "live", "silent", "never seen". */
static char *state_make(const void *row)
{
    static const char *const seen[] = {
        [SEEN_NONE] = "-",
        [SEEN_LIVE] = "live",
        [SEEN_SILENT] = "silent",
        [SEEN_NEVER] = "never seen",
    };
    const struct target_row *target = row;
    const char *is = target->seen <= SEEN_NEVER ? seen[target->seen] : "-";

    return target->state == TARGET_IN_USE
               ? must_strdup(is)
               : must_printf("%s, %s",
                             word_text(&target_state_words, target->state), is);
}

/* "3 of 4" */
static char *free_make(const void *row)
{
    const struct target_row *target = row;

    return target->seen == SEEN_LIVE
               ? must_printf("%lld of %lld", (long long)target->free,
                             (long long)target->slots)
               : NULL;
}

/* "0.1.0": of all that were ever heard; several where they differ. */
static char *versions_make(const void *row)
{
    const struct target_row *target = row;
    struct list versions = {0};
    struct buf text = {0};

    for (size_t i = 0; i < target->executors.n; i++) {
        const char *version =
            list_at(&target->executors, struct executor_row, i).version;
        if (version != NULL && !texts_hold(&versions, version)) {
            (void)buf_addf(&text, "%s%s", versions.n == 0 ? "" : ", ", version);
            texts_add(&versions, version);
        }
    }
    texts_done(&versions);
    return text.len == 0 ? NULL : buf_take(&text);
}

static char *executors_make(const void *row)
{
    const struct target_row *target = row;
    struct buf text = {0};

    for (size_t i = 0; i < target->executors.n; i++) {
        (void)buf_addf(
            &text, "%s%s", i == 0 ? "" : ", ",
            list_at(&target->executors, struct executor_row, i).name);
    }
    return text.len == 0 ? must_strdup("none enrolled") : buf_take(&text);
}

static const struct column list_columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct target_row, name)},
    {"state", COLUMN_MADE, .make = state_make},
    {"free", COLUMN_MADE, .make = free_make},
    {"version", COLUMN_MADE, .make = versions_make},
    {"labels", COLUMN_PAIRS, .at = offsetof(struct target_row, labels),
     .wide = true},
    {"max wait", COLUMN_SECONDS, .at = offsetof(struct target_row, max_wait)},
    {"executors", COLUMN_MADE, .make = executors_make, .wide = true},
};

int cmd_target_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.nothing = "there is no target yet: submit target add",
                        .table = row_table(&targets_answer_table),
                        .columns = list_columns,
                        .n = ARRAY_SIZE(list_columns)};
    struct plain_request plain = {0};
    struct targets_answer answer = {0};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_TARGET_LIST,
                                      .payload = &plain,
                                      .answer = &targets_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.targets, err);
    table_done(&targets_answer_table, &answer);
    return done;
}

static const struct column show_columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct target_row, name)},
    {"state", COLUMN_MADE, .make = state_make},
    {"labels", COLUMN_PAIRS, .at = offsetof(struct target_row, labels)},
    {"max wait", COLUMN_SECONDS, .at = offsetof(struct target_row, max_wait)},
    {"free slots", COLUMN_MADE, .make = free_make},
    {"running", COLUMN_INT, .at = offsetof(struct target_row, running)},
    {"waiting", COLUMN_INT, .at = offsetof(struct target_row, waiting)},
    {"set", COLUMN_TIME, .at = offsetof(struct target_row, set)},
    {"set by", COLUMN_TEXT, .at = offsetof(struct target_row, set_by)},
};

static const struct column executor_columns[] = {
    {"executor", COLUMN_TEXT, .at = offsetof(struct executor_row, name)},
    {"state", COLUMN_WORD, .words = &seen_words,
     .at = offsetof(struct executor_row, seen)},
    {"heard", COLUMN_TIME, .at = offsetof(struct executor_row, heard)},
    {"slots", COLUMN_INT, .at = offsetof(struct executor_row, slots)},
    {"free", COLUMN_INT, .at = offsetof(struct executor_row, free)},
    {"version", COLUMN_TEXT, .at = offsetof(struct executor_row, version)},
};

static int print_target(const struct submit *submit,
                        const struct target_row *target, struct err *err)
{
    struct noun noun = {.table = target_answer_table.fields[0].table,
                        .columns = show_columns,
                        .n = ARRAY_SIZE(show_columns)};
    struct noun executors = {.nothing = "no executor is enrolled for it yet",
                             .table = row_table(noun.table),
                             .columns = executor_columns,
                             .n = ARRAY_SIZE(executor_columns)};

    if (print_row(&submit->print, &noun, target, err) != 0) {
        return -1;
    }
    if (submit->print.format != FORMAT_TABLE) {
        return 0;
    }
    return (target->executors.n > 0 &&
            print_line(&submit->print, err, "%s", "") != 0) ||
                   print_rows(&submit->print, &executors, &target->executors,
                              err) != 0
               ? -1
               : 0;
}

int target_ask(struct submit *submit, const char *name,
               struct target_answer *ret_answer, struct err *err)
{
    struct target_named named = {.name = (char *)name};

    if (!name_is_good(named.name)) {
        return err_exit(err, EXIT_DATA,
                        "'%.80s' is no target's name: those are a-z, 0-9 and -",
                        named.name);
    }
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_TARGET_SHOW,
                                         .payload = &named,
                                         .answer = &target_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

int cmd_target_show(struct submit *submit, struct err *err)
{
    struct target_answer answer = {0};

    if (target_ask(submit, submit->args[0], &answer, err) != 0) {
        return -1;
    }
    int done = print_target(submit, &answer.target, err);
    table_done(&target_answer_table, &answer);
    return done;
}
