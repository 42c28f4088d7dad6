/*
 * cmd_target.c: target add, set, drain, resume, remove: the places where
 * commands run, and what changes of them. Showing them is cmd_target_show.c.
 *
 * A target is signed whole each time. What it is now comes from the revocation
 * log, as it was checked here: nobody who only answers us can have an
 * administrator sign labels that no administrator gave.
 */
#include <string.h>

#include "base/clock.h"
#include "model/target.h"
#include "model/where.h"
#include "producer/submit/asking.h"
#include "producer/submit/founding.h"
#include "producer/submit/heard.h"
#include "producer/submit/shown.h"

static int read_wait(const char *text, const char *what, int64_t *ret_wait,
                     struct err *err)
{
    if (duration_parse(text, ret_wait, err) != 0) {
        err->status = EXIT_DATA;
        return err_wrap(err, "%s", what);
    }
    return *ret_wait >= 1 && *ret_wait <= TARGET_WAIT_MAX
               ? 0
               : err_exit(err, EXIT_DATA, "%s %s: 1s to 7d", what, text);
}

/* KEY=VALUE: a label, or how long a run may wait for it. */
static int assign(struct target_set *set, const char *word, struct err *err)
{
    const char *is = strchr(word, '=');

    if (is == NULL) {
        return err_exit(err, EXIT_USAGE, "'%.60s': expected KEY=VALUE", word);
    }
    _cleanup_free_ char *key = must_printf("%.*s", (int)(is - word), word);
    if (strcmp(key, "max_wait") == 0) {
        return read_wait(is + 1, key, &set->max_wait, err);
    }
    if (labels_assign(&set->labels, key, is + 1, err) != 0) {
        err->status = EXIT_DATA;
        return -1;
    }
    return 0;
}

static int assign_all(const struct submit *submit, struct target_set *set,
                      struct err *err)
{
    for (size_t i = 1; i < submit->n_args; i++) {
        if (assign(set, submit->args[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int ask_set(struct submit *submit, struct target_set *set,
                   int (*anew)(struct submit *, void *, struct err *),
                   void *arg, struct err *err)
{
    return submit_ask(submit,
                      &(struct question){.as = ASK_OWN,
                                         .kind = EVENT_TARGET_SET,
                                         .payload = set,
                                         .anew = anew,
                                         .arg = arg},
                      err);
}

/* --again: behind the one before of that name, by the log. */
static int follow_removed(struct submit *submit, struct target_set *set,
                          struct err *err)
{
    const struct place_standing *before;

    if (asking_connect(submit, err) != 0 || heard_read_all(submit, err) != 0) {
        return -1;
    }
    before = standing_place(heard_standing(submit), set->name);
    if (before == NULL || before->state != TARGET_REMOVED) {
        return err_exit(err, EXIT_DATA,
                        "no target %s was removed: leave out --again",
                        set->name);
    }
    set->generation = before->generation + 1;
    set->previous = before->hash;
    return 0;
}

static int add(struct submit *submit, struct target_set *set, struct err *err)
{
    const char *wait = flag_value(submit, "max-wait");

    if (name_check(set->name, err) != 0 ||
        (wait != NULL &&
         read_wait(wait, "--max-wait", &set->max_wait, err) != 0) ||
        assign_all(submit, set, err) != 0 ||
        (flag_given(submit, "again") &&
         follow_removed(submit, set, err) != 0) ||
        ask_set(submit, set, NULL, NULL, err) != 0) {
        return -1;
    }
    const char *text = rpc_text(submit_rpc(submit));
    say("Target %s: %s. An executor serves it once it is enrolled: submit "
        "service enrol executor NAME --target %s --key LINE --out FILE",
        set->name, text == NULL ? "added" : text, set->name);
    return 0;
}

int cmd_target_add(struct submit *submit, struct err *err)
{
    struct target_set set = {.name = submit->args[0],
                             .generation = 1,
                             .max_wait = TARGET_WAIT_DEFAULT};
    int done = add(submit, &set, err);

    pairs_done(&set.labels);
    return done;
}

/* Changing one that is there */

typedef int edit(const struct submit *submit, struct target_set *set,
                 struct err *err);

struct change {
    edit *edit;
    struct target_set set;
};

/* What it is by the log, up to the newest entry that an answer named. */
static int read_now(struct submit *submit, struct target_set *set,
                    struct err *err)
{
    const struct place_standing *now;

    if (heard_current(submit, err) != 0) {
        return -1;
    }
    now = standing_place(heard_standing(submit), set->name);
    if (now == NULL || now->state == TARGET_REMOVED) {
        return err_exit(err, EXIT_NOT_FOUND,
                        "the revocation log knows of no target %s in use",
                        set->name);
    }
    set->generation = now->generation;
    set->previous = now->hash;
    set->max_wait = now->max_wait;
    set->state = (int)now->state;
    pairs_done(&set->labels);
    pairs_add_all(&set->labels, &now->labels);
    return 0;
}

/* Whether there is one, and the asker may know. */
static int ask_whether(struct submit *submit, const char *name, struct err *err)
{
    struct target_answer answer = {0};
    int done = target_ask(submit, name, &answer, err);

    table_done(&target_answer_table, &answer);
    return done;
}

/* Also where another change came first. */
static int prepare(struct submit *submit, void *arg, struct err *err)
{
    struct change *change = arg;

    return read_now(submit, &change->set, err) != 0
               ? -1
               : change->edit(submit, &change->set, err);
}

static int change(struct submit *submit, edit *how, struct err *err)
{
    struct change change = {.edit = how, .set.name = submit->args[0]};
    int done = ask_whether(submit, change.set.name, err) != 0 ||
                       prepare(submit, &change, err) != 0 ||
                       ask_set(submit, &change.set, prepare, &change, err) != 0
                   ? -1
                   : 0;

    pairs_done(&change.set.labels);
    return done;
}

static int move(struct target_set *set, enum target_state from,
                enum target_state to, const char *otherwise, struct err *err)
{
    if (set->state != (int)from) {
        return err_exit(err, EXIT_DATA, "%s is %s", set->name, otherwise);
    }
    set->state = (int)to;
    return 0;
}

static int drain(const struct submit *submit, struct target_set *set,
                 struct err *err)
{
    (void)submit;
    return move(set, TARGET_IN_USE, TARGET_DRAINED, "drained already", err);
}

static int resume(const struct submit *submit, struct target_set *set,
                  struct err *err)
{
    (void)submit;
    return move(set, TARGET_DRAINED, TARGET_IN_USE, "not drained", err);
}

static int take_away(const struct submit *submit, struct target_set *set,
                     struct err *err)
{
    (void)submit;
    (void)err;
    set->state = TARGET_REMOVED;
    return 0;
}

int cmd_target_set(struct submit *submit, struct err *err)
{
    if (change(submit, assign_all, err) != 0) {
        return -1;
    }
    say("%s is changed: submit target show %s", submit->args[0],
        submit->args[0]);
    return 0;
}

int cmd_target_drain(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];

    if (change(submit, drain, err) != 0) {
        return -1;
    }
    say("%s is drained: nothing starts there, until submit target resume %s. "
        "What runs there ends by itself; what waits for it waits.",
        name, name);
    return 0;
}

int cmd_target_resume(struct submit *submit, struct err *err)
{
    if (change(submit, resume, err) != 0) {
        return -1;
    }
    say("%s is in use again.", submit->args[0]);
    return 0;
}

int cmd_target_remove(struct submit *submit, struct err *err)
{
    const char *name = submit->args[0];
    _cleanup_free_ char *question =
        must_printf("Remove target %s for good?", name);
    int yes =
        flag_given(submit, "yes") ? 1 : prompt_yes(question, "--yes", err);

    if (yes <= 0) {
        return yes < 0 ? -1 : err_exit(err, EXIT_DATA, "nothing was removed");
    }
    if (change(submit, take_away, err) != 0) {
        return -1;
    }
    say("Target %s is removed. What waited or ran there is ended, and its "
        "executors end.",
        name);
    return 0;
}
