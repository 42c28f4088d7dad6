/*
 * test_secret.c: what is told of a run's secrets without opening them, and that
 * a box opens for what it was made for alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"
#include "consumer/executor/opened.h"
#include "trust/sealed.h"

static struct parameter all[] = {
    {.name = (char[]){"token"}, .type = PARAMETER_SECRET, .required = true},
    {.name = (char[]){"pin"},
     .type = PARAMETER_SECRET,
     .pattern = (char[]){"[0-9]+"}},
    {.name = (char[]){"dir"}, .type = PARAMETER_STRING},
};

static const struct list parameters = {all, ARRAY_SIZE(all)};

/* Boxes without content: "token@1 pin@2" for recipients 1 and 2. */
static struct list boxes_of(const char *words)
{
    _cleanup_free_ char *copy = must_strdup(words);
    struct list boxes = {0};
    char *rest = NULL;

    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        struct secret_box *box = list_grow(&boxes, sizeof(*box));
        char *at = strchr(word, '@');
        box->to.b[0] = (unsigned char)at[1];
        *at = '\0';
        box->name = must_strdup(word);
    }
    return boxes;
}

static void boxes_done(struct list *boxes)
{
    for (size_t i = 0; i < boxes->n; i++) {
        struct secret_box *box = &list_at(boxes, struct secret_box, i);
        free(box->name);
        buf_done(&box->box);
    }
    free(boxes->items);
    *boxes = (struct list){0};
}

static void boxes_are_whole_or_refused(void **state)
{
    static const struct {
        const char *boxes;
        const char *said; /* NULL: good */
    } rows[] = {
        {"token@1", NULL},
        {"token@1 token@2", NULL},
        {"token@1 pin@1", NULL},
        {"token@1 pin@1 pin@2 token@2", NULL},
        {"", "token: missing, and required"},
        {"pin@1", "token: missing, and required"},
        {"token@1 token@1", "token: sealed twice"},
        {"token@1 pin@2", "not sealed to each"},
        {"token@1 token@2 pin@2", "pin: not sealed to each"},
        {"token@1 dir@1", "'dir', which is no secret"},
        {"token@1 other@1", "'other', which is no secret"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct list boxes = boxes_of(rows[i].boxes);
        struct err err = {0};
        int done = secrets_check(&parameters, &boxes, &err);
        assert_int_equal(done, rows[i].said == NULL ? 0 : -1);
        assert_true(rows[i].said == NULL ||
                    strstr(err.text, rows[i].said) != NULL);
        boxes_done(&boxes);
    }
}

static void who_has_no_box_is_told_apart(void **state)
{
    struct list boxes = boxes_of("token@1 pin@1");
    struct list none = {0};
    struct hash one = {.b = {'1'}};
    struct hash two = {.b = {'2'}};

    (void)state;
    assert_true(secrets_reach(&boxes, &one));
    assert_false(secrets_reach(&boxes, &two));
    assert_true(secrets_reach(&none, &two));
    boxes_done(&boxes);
}

static void a_secret_is_no_argument(void **state)
{
    struct list arguments = {0};
    struct list values = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(arguments_check(&parameters, &arguments, &values, &err),
                     0);
    assert_int_equal(values.n, 0);
    pairs_add(&arguments, "token", "hunter2");
    assert_int_equal(arguments_check(&parameters, &arguments, &values, &err),
                     -1);
    assert_non_null(strstr(err.text, "never sent in clear"));
    assert_null(strstr(err.text, "hunter2"));
    pairs_done(&arguments);
}

/* Opening */

struct scene {
    struct key_pair *host;
    struct command_save save;
    struct run_start run;
    struct order order;
    struct sealed content;
};

static void open_scene(struct scene *s, const char *value)
{
    *s = (struct scene){.host = key_pair_new(),
                        .save.parameters = parameters,
                        .run.request.head.id = id_new(1000)};
    s->order = (struct order){.root = {.b = {1}},
                              .signer = {.b = {2}},
                              .run = &s->run,
                              .command = &s->save};
    s->content = (struct sealed){
        .root = s->order.root,
        .purpose = (char *)SECRET_PURPOSE,
        .signer = s->order.signer,
        .request = s->run.request.head.id,
        .name = (char *)"token",
        .value = {.data = (unsigned char *)value, .len = strlen(value)}};
}

static void seal_as(struct scene *s, const char *name)
{
    struct secret_box *box = list_grow(&s->run.boxes, sizeof(*box));
    struct err err = {0};

    box->name = must_strdup(name);
    box->to = key_id(&s->host->box);
    assert_int_equal(sealed_make(&s->content, &s->host->box, &box->box, &err),
                     0);
}

static void close_scene(struct scene *s)
{
    boxes_done(&s->run.boxes);
    key_pair_free(s->host);
}

/* NULL: it was opened. */
static const char *refusal(struct scene *s, struct err *err)
{
    _cleanup_secrets_ struct list opened = {0};

    *err = (struct err){0};
    return secrets_open(&s->order, s->host, &opened, err) == 0 ? NULL
                                                               : err->text;
}

static void a_box_opens_for_its_own_run(void **state)
{
    _cleanup_secrets_ struct list opened = {0};
    struct list environment = {0};
    struct scene s;
    struct err err = {0};

    (void)state;
    open_scene(&s, "two\nlines = grüße");
    seal_as(&s, "token");
    assert_int_equal(secrets_open(&s.order, s.host, &opened, &err), 0);
    opened_add_environment(&opened, &environment);
    assert_int_equal(environment.n, 1);
    assert_string_equal(list_at(&environment, char *, 0),
                        "ERRAND_PARAM_TOKEN=two\nlines = grüße");
    opened_wipe_texts(&environment);
    close_scene(&s);
}

static void a_box_of_another_run_is_refused(void **state)
{
    struct scene s;
    struct err err;

    (void)state;
    for (int i = 0; i < 5; i++) {
        open_scene(&s, "hunter2");
        struct sealed *c = &s.content;
        c->root.b[9] ^= i == 0;
        c->purpose = i == 1 ? (char *)"card" : c->purpose;
        c->signer.b[9] ^= i == 2;
        c->request.b[9] ^= i == 3;
        c->name = i == 4 ? (char *)"pin" : c->name;
        seal_as(&s, "token");
        assert_non_null(refusal(&s, &err));
        assert_non_null(strstr(err.text, "for something else"));
        assert_null(strstr(err.text, "hunter2"));
        close_scene(&s);
    }
}

static void what_is_not_for_this_host_or_no_value_is_refused(void **state)
{
    struct scene s;
    struct err err;

    (void)state;
    open_scene(&s, "hunter2");
    assert_null(refusal(&s, &err)); /* none was given: secrets_check()'s */
    seal_as(&s, "token");
    list_at(&s.run.boxes, struct secret_box, 0).to.b[0] ^= 1;
    assert_non_null(strstr(refusal(&s, &err), "not sealed to this host"));
    close_scene(&s);
    open_scene(&s, "letters");
    s.content.name = (char *)"pin";
    seal_as(&s, "pin");
    assert_non_null(strstr(refusal(&s, &err), "pin: not of the form"));
    close_scene(&s);
}

static void each_half_forgets_what_is_the_other_s(void **state)
{
    struct scene s;
    struct err err;

    (void)state;
    open_scene(&s, "hunter2");
    seal_as(&s, "token");
    key_pair_forget_key(s.host);
    assert_null(refusal(&s, &err));
    key_pair_forget_box(s.host);
    assert_non_null(strstr(refusal(&s, &err), "not for this key"));
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(s.host->secret[i], 0);
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_whole_or_refused),
        cmocka_unit_test(who_has_no_box_is_told_apart),
        cmocka_unit_test(a_secret_is_no_argument),
        cmocka_unit_test(a_box_opens_for_its_own_run),
        cmocka_unit_test(a_box_of_another_run_is_refused),
        cmocka_unit_test(what_is_not_for_this_host_or_no_value_is_refused),
        cmocka_unit_test(each_half_forgets_what_is_the_other_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
