/*
 * cmd_target.c: target add, target list: the places where commands run.
 */
#include <string.h>

#include "base/clock.h"
#include "model/target.h"
#include "producer/submit/founding.h"

static int ask_targets(struct submit *submit, struct targets_answer *ret_answer,
                       struct err *err)
{
    struct plain_request plain = {0};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_TARGET_LIST,
                                         .payload = &plain,
                                         .answer = &targets_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

static int read_wait(const struct submit *submit, int64_t *ret_wait,
                     struct err *err)
{
    const char *text = flag_value(submit, "max-wait");

    *ret_wait = TARGET_WAIT_DEFAULT;
    if (text == NULL) {
        return 0;
    }
    if (duration_parse(text, ret_wait, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "--max-wait");
    }
    return *ret_wait >= 1 && *ret_wait <= TARGET_WAIT_MAX
               ? 0
               : err_exit(err, EXIT_DATA, "--max-wait %s: 1s to 7d", text);
}

int cmd_target_add(struct submit *submit, struct err *err)
{
    struct target_set set = {.name = submit->args[0], .generation = 1};

    if (name_check(set.name, err) != 0 ||
        read_wait(submit, &set.max_wait, err) != 0 ||
        submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_TARGET_SET,
                                      .payload = &set},
                   err) != 0) {
        return -1;
    }
    const char *text = rpc_text(submit_rpc(submit));
    say("Target %s: %s. An executor serves it once it is enrolled: submit "
        "service enrol executor NAME --target %s --key LINE --out FILE",
        set.name, text == NULL ? "added" : text, set.name);
    return 0;
}

/* "web-1a (4 slots, heard 2026-11-24 03:12:45)" of each. */
static char *executors_make(const void *row)
{
    const struct target_row *target = row;
    struct buf text = {0};

    for (size_t i = 0; i < target->executors.n; i++) {
        const struct executor_row *executor =
            &list_at(&target->executors, struct executor_row, i);
        _cleanup_free_ char *heard = time_text(executor->heard);
        const char *comma = i == 0 ? "" : ", ";
        int failed =
            executor->heard == 0
                ? buf_addf(&text, "%s%s (never heard)", comma, executor->name)
                : buf_addf(&text, "%s%s (%lld slots, heard %s)", comma,
                           executor->name, (long long)executor->slots, heard);
        if (failed) {
            abort();
        }
    }
    return text.len == 0 ? must_strdup("none enrolled") : buf_take(&text);
}

static const struct column target_columns[] = {
    {"target", COLUMN_TEXT, .at = offsetof(struct target_row, name)},
    {"max wait", COLUMN_SECONDS, .at = offsetof(struct target_row, max_wait)},
    {"executors", COLUMN_MADE, .make = executors_make, .wide = true},
};

int cmd_target_list(struct submit *submit, struct err *err)
{
    struct noun noun = {.nothing = "there is no target yet: submit target add",
                        .table = row_table(&targets_answer_table),
                        .columns = target_columns,
                        .n = ARRAY_SIZE(target_columns)};
    struct targets_answer answer = {0};

    if (ask_targets(submit, &answer, err) != 0) {
        return -1;
    }
    int done = print_rows(&submit->print, &noun, &answer.targets, err);
    table_done(&targets_answer_table, &answer);
    return done;
}
