/* kept.c: see kept.h. */
#include "producer/submit/kept.h"

#include <string.h>

#include "model/read.h"

static const char instead[] = "--keep all, --keep none, or --keep NAME";

struct choice {
    struct submit *submit;
    const char *email;
    enum kept_otherwise otherwise;
    const struct list *signed_; /* struct signed_row */
    struct list *keep;
};

static void keep(struct choice *choice, const struct signed_row *row)
{
    *(struct hash *)list_grow(choice->keep, sizeof(row->hash)) = row->hash;
}

/* --keep NAME, once for each that goes on. */
static bool is_named(const struct submit *submit, const struct signed_row *row)
{
    const char *name;

    for (size_t i = 0; (name = flag_value_at(submit, "keep", i)) != NULL; i++) {
        if (strcmp(name, row->name) == 0 || strcmp(name, row->what) == 0) {
            return true;
        }
    }
    return false;
}

/* Each name is one that there is: a mistyped one would end what was to stay. */
static int check_names(const struct choice *choice, struct err *err)
{
    const char *name;

    for (size_t i = 0;
         (name = flag_value_at(choice->submit, "keep", i)) != NULL; i++) {
        bool known = strcmp(name, "all") == 0 || strcmp(name, "none") == 0;
        for (size_t j = 0; !known && j < choice->signed_->n; j++) {
            const struct signed_row *row =
                &list_at(choice->signed_, struct signed_row, j);
            known =
                strcmp(name, row->name) == 0 || strcmp(name, row->what) == 0;
        }
        if (!known) {
            return err_exit(err, EXIT_DATA,
                            "--keep %s: nothing of that name hangs on them",
                            name);
        }
    }
    return 0;
}

static int ask_each(struct choice *choice, struct err *err)
{
    for (size_t i = 0; i < choice->signed_->n; i++) {
        const struct signed_row *row =
            &list_at(choice->signed_, struct signed_row, i);
        _cleanup_free_ char *question =
            must_printf("Shall %s %s go on?", row->what, row->name);
        int yes = prompt_yes(question,
                             "--keep all, --keep none, or --keep NAME", err);
        if (yes < 0) {
            return -1;
        }
        if (yes) {
            keep(choice, row);
        }
    }
    return 0;
}

static void tell_all(const struct choice *choice)
{
    say("%s signed what others rely on; what is not kept ends:", choice->email);
    for (size_t i = 0; i < choice->signed_->n; i++) {
        const struct signed_row *row =
            &list_at(choice->signed_, struct signed_row, i);
        say("  %-12s %s", row->what, row->name);
    }
}

static void keep_if(struct choice *choice, bool all)
{
    for (size_t i = 0; i < choice->signed_->n; i++) {
        const struct signed_row *row =
            &list_at(choice->signed_, struct signed_row, i);
        if (all || is_named(choice->submit, row)) {
            keep(choice, row);
        }
    }
}

/* All of it, or one by one. */
static int ask(struct choice *choice, struct err *err)
{
    tell_all(choice);
    int yes = prompt_yes("Shall all of it go on?", instead, err);
    if (yes < 0) {
        return -1;
    }
    if (yes) {
        keep_if(choice, true);
        return 0;
    }
    return ask_each(choice, err);
}

static int choose(struct choice *choice, struct err *err)
{
    const char *said = flag_value(choice->submit, "keep");

    if (check_names(choice, err) != 0) {
        return -1;
    }
    if (said == NULL && choice->otherwise == KEPT_ASK) {
        return ask(choice, err);
    }
    keep_if(choice, said == NULL || strcmp(said, "all") == 0);
    return 0;
}

int kept_choose(struct submit *submit, const char *email,
                enum kept_otherwise otherwise, struct list *ret_keep,
                struct err *err)
{
    struct user_named named = {.email = (char *)email};
    struct signed_answer answer = {0};
    struct list kept = {0};
    struct choice choice = {.submit = submit,
                            .email = email,
                            .otherwise = otherwise,
                            .signed_ = &answer.rows,
                            .keep = &kept};

    if (submit_ask(submit,
                   &(struct question){.as = ASK_SESSION,
                                      .kind = EVENT_USER_SIGNED,
                                      .payload = &named,
                                      .answer = &signed_answer_table,
                                      .ret_answer = &answer},
                   err) != 0) {
        return -1;
    }
    int done = answer.rows.n == 0 ? 0 : choose(&choice, err);
    table_done(&signed_answer_table, &answer);
    if (done != 0) {
        free(kept.items);
        return -1;
    }
    *ret_keep = kept;
    return 0;
}
