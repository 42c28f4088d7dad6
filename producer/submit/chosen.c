/* chosen.c: see chosen.h. */
#include "producer/submit/chosen.h"

#include "model/run.h"
#include "model/where.h"
#include "producer/submit/heard.h"
#include "trust/reach.h"

#define NAMED_MAX 3 /* of those that are left out */

struct choice {
    const struct standing *standing;
    const struct command_row *command;
    struct list *chosen;  /* char * */
    struct list left_out; /* char *, likewise */
};

static void add(struct choice *choice, const char *name)
{
    if (!texts_hold(choice->chosen, name)) {
        texts_add(choice->chosen, name);
    }
}

/* One that nobody named by itself. */
static void add_if_in_use(struct choice *choice, const char *name)
{
    const struct place_standing *place = standing_place(choice->standing, name);

    if (place == NULL || place->state == TARGET_IN_USE) {
        add(choice, name);
        return;
    }
    if (!texts_hold(&choice->left_out, name)) {
        texts_add(&choice->left_out, name);
    }
}

/* "web-2 is drained, web-7 was removed and 5 more": the caller's. */
static char *left_out_text(const struct choice *choice)
{
    size_t n = choice->left_out.n;
    size_t named = n <= NAMED_MAX ? n : NAMED_MAX;
    struct buf text = {0};

    for (size_t i = 0; i < named; i++) {
        const char *name = list_at(&choice->left_out, char *, i);
        bool drained =
            standing_place(choice->standing, name)->state == TARGET_DRAINED;
        (void)buf_addf(&text, "%s%s %s", i == 0 ? "" : ", ", name,
                       drained ? "is drained" : "was removed");
    }
    if (named < n) {
        (void)buf_addf(&text, " and %zu more", n - named);
    }
    return buf_take(&text);
}

/* How many it reaches. */
static size_t add_within(struct choice *choice, const char *where)
{
    struct list names = {0};

    reach_within(choice->standing, &choice->command->targets, where, &names);
    for (size_t i = 0; i < names.n; i++) {
        const char *name = list_at(&names, char *, i);
        if (!texts_hold(choice->chosen, name)) {
            add_if_in_use(choice, name);
        }
    }
    size_t n = names.n;
    texts_done(&names);
    return n;
}

static int refuse(const struct choice *choice, const char *where,
                  struct err *err)
{
    _cleanup_free_ char *known = texts_join(&choice->command->targets, ", ");
    const struct place_standing *place =
        standing_place(choice->standing, where);

    if (place != NULL && place->state == TARGET_REMOVED) {
        return err_exit(err, EXIT_DATA, "target %s was removed", where);
    }
    return where_is_name(where)
               ? err_exit(err, EXIT_DATA,
                          "%s is not for target %s; it is for: %s",
                          choice->command->name, where, known)
               : err_exit(err, EXIT_DATA,
                          "none of the targets of %s is %s; it is for: %s",
                          choice->command->name, where, known);
}

/* One -t. */
static int narrow(struct choice *choice, const char *where, struct err *err)
{
    const struct list *allowed = &choice->command->targets;

    if (!where_form.is_good(where)) {
        return err_exit(err, EXIT_DATA, "-t '%.80s': %s", where,
                        where_form.what);
    }
    if (!where_is_name(where)) {
        return add_within(choice, where) > 0 ? 0 : refuse(choice, where, err);
    }
    if (!reach_holds(choice->standing, allowed, where)) {
        return refuse(choice, where, err);
    }
    add(choice, where);
    return 0;
}

static void choose_all(struct choice *choice)
{
    const struct list *allowed = &choice->command->targets;

    for (size_t i = 0; i < allowed->n; i++) {
        const char *where = list_at(allowed, char *, i);
        if (where_is_name(where)) {
            add_if_in_use(choice, where);
        } else {
            (void)add_within(choice, where);
        }
    }
}

static int check_number(const struct choice *choice, struct err *err)
{
    _cleanup_free_ char *known = texts_join(&choice->command->targets, ", ");
    _cleanup_free_ char *left = left_out_text(choice);

    if (choice->chosen->n == 0 && choice->left_out.n > 0) {
        return err_exit(err, EXIT_DATA, "%s can't run anywhere now: %s",
                        choice->command->name, left);
    }
    if (choice->chosen->n == 0) {
        return err_exit(err, EXIT_DATA,
                        "%s is for %s: there is no such target now",
                        choice->command->name, known);
    }
    if (choice->left_out.n > 0) {
        say("left out: %s", left);
    }
    return choice->chosen->n <= RUN_TARGETS_MAX
               ? 0
               : err_exit(err, EXIT_DATA,
                          "%s would run on %zu targets, and at most %d can be "
                          "at once: name some (-t)",
                          choice->command->name, choice->chosen->n,
                          RUN_TARGETS_MAX);
}

/* Names alone can be chosen by a log that is behind: the authorizer knows. */
static bool by_names(const struct list *wheres)
{
    for (size_t i = 0; i < wheres->n; i++) {
        if (!where_is_name(list_at(wheres, char *, i))) {
            return false;
        }
    }
    return true;
}

static int choose(struct choice *choice, const struct list *asked,
                  struct err *err)
{
    for (size_t i = 0; i < asked->n; i++) {
        if (narrow(choice, list_at(asked, char *, i), err) != 0) {
            return -1;
        }
    }
    if (asked->n == 0) {
        choose_all(choice);
    }
    return check_number(choice, err);
}

int targets_choose(struct submit *submit, const struct command_row *command,
                   const struct list *asked, struct list *ret_targets,
                   struct err *err)
{
    struct choice choice = {.command = command, .chosen = ret_targets};

    if (!(by_names(asked) && by_names(&command->targets)) &&
        heard_current(submit, err) != 0) {
        return -1;
    }
    choice.standing = heard_standing(submit);
    int done = choose(&choice, asked, err);
    texts_done(&choice.left_out);
    return done;
}

void targets_tell_unreached(const struct submit *submit,
                            const struct list *wheres)
{
    for (size_t i = 0; i < wheres->n; i++) {
        const char *where = list_at(wheres, char *, i);
        struct list reached = {0};
        reach_within(heard_standing(submit), wheres, where, &reached);
        if (reached.n == 0 && !where_is_name(where)) {
            say("no target is %s yet", where);
        }
        texts_done(&reached);
    }
}
