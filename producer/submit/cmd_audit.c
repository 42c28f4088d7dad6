/*
 * cmd_audit.c: audit: what was asked of Errand, by whom, and what became of it,
 * the newest first. Who sees what is the authorizer's to say.
 */
#include <string.h>

#include "base/clock.h"
#include "base/suggest.h"
#include "model/user.h"
#include "producer/submit/since.h"
#include "producer/submit/submit.h"

#define PAGE 100 /* rows that one read tells at most */
#define LIMIT_DEFAULT 50
#define LIMIT_MAX 100000

static const char *verb_known(const char *word, struct err *err)
{
    const char *known[EVENT_KINDS] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < EVENT_KINDS; i++) {
        const char *verb = event_types[i].verb;
        if (verb != NULL && strcmp(verb, word) == 0) {
            return verb;
        }
        if (verb != NULL) {
            known[n++] = verb;
        }
    }
    const char *meant = suggest(word, known, n);
    (void)err_exit(
        err, EXIT_USAGE, "--verb %.60s: no request is called so%s%s%s", word,
        meant == NULL ? " (they are called like run.start)" : "; did you mean ",
        meant == NULL ? "" : meant, meant == NULL ? "" : "?");
    return NULL;
}

static int read_verb(const struct submit *submit, struct audit_list *list,
                     struct err *err)
{
    const char *word = flag_value(submit, "verb");

    list->verb = word == NULL ? NULL : (char *)verb_known(word, err);
    return word != NULL && list->verb == NULL ? -1 : 0;
}

static int read_outcome(const struct submit *submit, struct audit_list *list,
                        struct err *err)
{
    const char *word = flag_value(submit, "outcome");

    list->outcome = word == NULL ? 0 : word_value(&audit_outcome_words, word);
    return word == NULL || list->outcome != 0
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "--outcome %.60s: expected accepted or refused",
                          word);
}

static int read_since(const struct submit *submit, struct audit_list *list,
                      struct err *err)
{
    const char *text = flag_value(submit, "since");

    if (text != NULL &&
        since_parse(text, clock_now(), &list->since, err) != 0) {
        err->status = EXIT_USAGE;
        return err_wrap(err, "--since %.60s", text);
    }
    return 0;
}

static int read_flags(const struct submit *submit, struct audit_list *list,
                      int64_t *ret_limit, struct err *err)
{
    const char *user = flag_value(submit, "user");
    const char *command = flag_value(submit, "command");

    if (command != NULL && !name_is_good(command)) {
        return err_exit(err, EXIT_USAGE, "--command %.60s: not a name",
                        command);
    }
    list->command = (char *)command;
    if (user != NULL) {
        list->email = email_normal(user, err);
        if (list->email == NULL) {
            err->status = EXIT_DATA;
            return -1;
        }
    }
    return read_verb(submit, list, err) != 0 ||
                   read_outcome(submit, list, err) != 0 ||
                   read_since(submit, list, err) != 0 ||
                   flag_limit(submit, LIMIT_DEFAULT, LIMIT_MAX, ret_limit,
                              err) != 0
               ? -1
               : 0;
}

static int ask_page(struct submit *submit, struct audit_list *list,
                    struct audit_answer *ret_answer, struct err *err)
{
    list->request.head.id = (struct id){0}; /* a new request for each */
    return submit_ask(submit,
                      &(struct question){.as = ASK_SESSION,
                                         .kind = EVENT_AUDIT_LIST,
                                         .payload = list,
                                         .answer = &audit_answer_table,
                                         .ret_answer = ret_answer},
                      err);
}

/* Page by page; what one page tells moves over. */
static int read_entries(struct submit *submit, struct audit_list *filter,
                        int64_t limit, struct list *entries, struct err *err)
{
    bool more = true;

    while (more && (int64_t)entries->n < limit) {
        struct audit_answer answer = {0};
        int64_t left = limit - (int64_t)entries->n;
        filter->limit = left < PAGE ? left : PAGE;
        if (ask_page(submit, filter, &answer, err) != 0) {
            return -1;
        }
        more = answer.more && answer.entries.n > 0;
        for (size_t i = 0; i < answer.entries.n; i++) {
            struct audit_entry *from =
                &list_at(&answer.entries, struct audit_entry, i);
            *(struct audit_entry *)list_grow(entries, sizeof(*from)) = *from;
            filter->before = from->id;
            *from = (struct audit_entry){0};
        }
        table_done(&audit_answer_table, &answer);
    }
    return 0;
}

static const struct column audit_columns[] = {
    {"decided", COLUMN_TIME, .at = offsetof(struct audit_entry, decided)},
    {"user", COLUMN_TEXT, .at = offsetof(struct audit_entry, email),
     .wide = true},
    {"verb", COLUMN_TEXT, .at = offsetof(struct audit_entry, verb)},
    {"about", COLUMN_TEXT, .at = offsetof(struct audit_entry, about),
     .wide = true},
    {"command", COLUMN_TEXT, .at = offsetof(struct audit_entry, command)},
    {"status", COLUMN_TEXT, .at = offsetof(struct audit_entry, status)},
    {"reason", COLUMN_TEXT, .at = offsetof(struct audit_entry, reason),
     .wide = true},
    {"request", COLUMN_ID, .at = offsetof(struct audit_entry, id)},
};

int cmd_audit(struct submit *submit, struct err *err)
{
    struct audit_list filter = {0};
    struct audit_answer all = {0};
    struct noun noun = {.nothing = "no such request was decided",
                        .table = row_table(&audit_answer_table),
                        .columns = audit_columns,
                        .n = ARRAY_SIZE(audit_columns),
                        .name = ARRAY_SIZE(audit_columns) - 1};
    int64_t limit = LIMIT_DEFAULT;

    int done =
        read_flags(submit, &filter, &limit, err) != 0 ||
                read_entries(submit, &filter, limit, &all.entries, err) != 0 ||
                print_rows(&submit->print, &noun, &all.entries, err) != 0
            ? -1
            : 0;
    free(filter.email);
    table_done(&audit_answer_table, &all);
    return done;
}
