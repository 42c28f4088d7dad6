/*
 * cmd_policy.c: policy list, policy set: what the organisation asks of its
 * people. A set signs the whole policy anew, from the one that holds now.
 */
#include <string.h>

#include "producer/submit/policy_now.h"

int policy_now(struct submit *submit, struct rules_answer *ret_answer,
               struct err *err)
{
    struct plain_request plain = {0};

    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_POLICY_LIST,
                                         .payload = &plain,
                                         .answer = &rules_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

struct rule_row {
    char *name;
    char *value;
};

static const struct field rule_row_fields[] = {
    {"name", FIELD_TEXT, .at = offsetof(struct rule_row, name)},
    {"value", FIELD_TEXT, .at = offsetof(struct rule_row, value)},
};

static const struct table rule_row_table = {
    .name = "rule", TABLE(rule_row_fields), .size = sizeof(struct rule_row)};

static const struct column rule_columns[] = {
    {"rule", COLUMN_TEXT, .at = offsetof(struct rule_row, name)},
    {"value", COLUMN_TEXT, .at = offsetof(struct rule_row, value)},
};

static const struct noun rule_noun = {.table = &rule_row_table,
                                      .columns = rule_columns,
                                      .n = ARRAY_SIZE(rule_columns)};

static int print_rules(const struct submit *submit, const struct rules *rules,
                       struct err *err)
{
    struct list rows = {0};

    for (size_t i = 0; rules_name(i) != NULL; i++) {
        struct rule_row *row = list_grow(&rows, sizeof(*row));
        *row = (struct rule_row){.name = must_strdup(rules_name(i)),
                                 .value = rules_value(rules, i)};
    }
    int done = print_rows(&submit->print, &rule_noun, &rows, err);
    for (size_t i = 0; i < rows.n; i++) {
        table_done(&rule_row_table, &list_at(&rows, struct rule_row, i));
    }
    free(rows.items);
    return done;
}

int cmd_policy_list(struct submit *submit, struct err *err)
{
    struct rules_answer answer = {0};

    if (policy_now(submit, &answer, err) != 0) {
        return -1;
    }
    int done = print_rules(submit, &answer.rules, err);
    if (done == 0 && submit->print.terminal && answer.version > 0) {
        _cleanup_free_ char *at = time_text(answer.set);
        say("Version %lld, by %s at %s.", (long long)answer.version,
            answer.set_by, at);
    }
    table_done(&rules_answer_table, &answer);
    return done;
}

static int assign_all(const struct submit *submit, struct rules *rules,
                      struct err *err)
{
    for (size_t i = 0; i < submit->n_args; i++) {
        const char *word = submit->args[i];
        const char *is = strchr(word, '=');
        if (is == NULL) {
            return err_exit(err, EXIT_USAGE, "'%.60s': expected RULE=VALUE",
                            word);
        }
        _cleanup_free_ char *name = must_printf("%.*s", (int)(is - word), word);
        if (rules_assign(rules, name, is + 1, err) != 0) {
            err->status = EXIT_DATA;
            return -1;
        }
    }
    return 0;
}

static int set(struct submit *submit, const struct rules_answer *now,
               struct err *err)
{
    struct policy_set payload = {.version = now->version + 1,
                                 .previous = now->hash,
                                 .rules = now->rules};

    if (assign_all(submit, &payload.rules, err) != 0 ||
        submit_ask(submit,
                   &(struct question){.as = ASK_OWN,
                                      .kind = EVENT_POLICY_SET,
                                      .payload = &payload},
                   err) != 0) {
        return -1;
    }
    return print_rules(submit, &payload.rules, err);
}

int cmd_policy_set(struct submit *submit, struct err *err)
{
    struct rules_answer now = {0};

    if (policy_now(submit, &now, err) != 0) {
        return -1;
    }
    int done = set(submit, &now, err);
    table_done(&rules_answer_table, &now);
    return done;
}
