/* parse.c: see parse.h. Pure: words in, a verdict out. */
#include "producer/submit/parse.h"

#include <string.h>

#include "base/suggest.h"

#define FLAGS_KNOWN 128
#define VERBS_KNOWN 128

const struct flag common_flags[] = {
    {'o', "output", "FORMAT", "table, json, jsonl, csv (lists) or name"},
    {'h', "help", NULL, "say what a verb does, and its flags"},
    {0, "version", NULL, "print the version"},
    {0}};

/* The common ones, then each verb's. */
static const struct flag *flags_at(size_t i)
{
    return i == 0 ? common_flags : verbs[i - 1].flags;
}

#define FOREACH_FLAG(flag, list) \
    for (const struct flag *flag = list; flag != NULL && flag->name; flag++)

static const struct flag *find_in(const struct flag *flags, const char *name,
                                  size_t len)
{
    FOREACH_FLAG(flag, flags)
    {
        if (strncmp(flag->name, name, len) == 0 && flag->name[len] == '\0') {
            return flag;
        }
    }
    return NULL;
}

static const struct flag *find_long(const char *name, size_t len)
{
    for (size_t i = 0; i <= n_verbs; i++) {
        const struct flag *flag = find_in(flags_at(i), name, len);
        if (flag != NULL) {
            return flag;
        }
    }
    return NULL;
}

static const struct flag *find_letter(char letter)
{
    for (size_t i = 0; i <= n_verbs; i++) {
        FOREACH_FLAG(flag, flags_at(i))
        {
            if (flag->letter == letter && letter != 0) {
                return flag;
            }
        }
    }
    return NULL;
}

static int unknown_long(const char *name, size_t len, struct err *err)
{
    const char *known[FLAGS_KNOWN] = {NULL};
    size_t n = 0;
    _cleanup_free_ char *word = must_printf("%.*s", (int)len, name);

    for (size_t i = 0; i <= n_verbs; i++) {
        FOREACH_FLAG(flag, flags_at(i))
        {
            if (flag->help != NULL && n < FLAGS_KNOWN) {
                known[n++] = flag->name;
            }
        }
    }
    const char *meant = suggest(word, known, n);
    return meant != NULL ? err_exit(err, EXIT_USAGE,
                                    "unknown flag --%.60s; did you mean --%s?",
                                    word, meant)
                         : err_exit(err, EXIT_USAGE,
                                    "unknown flag --%.60s: `submit help` "
                                    "tells which there are",
                                    word);
}

/* Words that are left to be read. */
struct words_left {
    int argc;
    char **argv;
    int at;
};

static int give(struct submit *submit, const struct flag *flag,
                const char *value, struct words_left *left, struct err *err)
{
    if (flag->value == NULL) {
        if (value != NULL && flag->help != NULL) {
            return err_exit(err, EXIT_USAGE, "--%s takes no value", flag->name);
        }
        pairs_add(&submit->given, flag->name, "");
        return 0;
    }
    if (value == NULL && left->at == left->argc) {
        return err_exit(err, EXIT_USAGE, "--%s needs a value: --%s %s",
                        flag->name, flag->name, flag->value);
    }
    pairs_add(&submit->given, flag->name,
              value != NULL ? value : left->argv[left->at++]);
    return 0;
}

static int give_long(struct submit *submit, const char *word,
                     struct words_left *left, struct err *err)
{
    size_t len = strcspn(word, "=");
    const struct flag *flag = find_long(word, len);

    if (flag == NULL) {
        return unknown_long(word, len, err);
    }
    return give(submit, flag, word[len] == '=' ? word + len + 1 : NULL, left,
                err);
}

static int give_letters(struct submit *submit, const char *word,
                        struct words_left *left, struct err *err)
{
    for (; *word != '\0'; word++) {
        const struct flag *flag = find_letter(*word);
        if (flag == NULL) {
            return err_exit(err, EXIT_USAGE,
                            "unknown flag -%c: `submit help` tells which "
                            "there are",
                            *word >= ' ' && *word <= '~' ? *word : '?');
        }
        bool rest = flag->value != NULL && word[1] != '\0';
        if (give(submit, flag, rest ? word + 1 : NULL, left, err) != 0) {
            return -1;
        }
        if (rest) {
            return 0;
        }
    }
    return 0;
}

/* Flags into given, the other words to the front of args. */
static int read_words(struct submit *submit, int argc, char **argv,
                      struct err *err)
{
    struct words_left left = {.argc = argc, .argv = argv, .at = 1};
    bool flags = true;

    submit->args = must_calloc((size_t)argc + 1, sizeof(char *));
    while (left.at < left.argc) {
        char *word = left.argv[left.at++];
        int done = 0;
        if (!flags || word[0] != '-' || word[1] == '\0') {
            submit->args[submit->n_args++] = word;
        } else if (strcmp(word, "--") == 0) {
            flags = false;
        } else if (word[1] == '-') {
            done = give_long(submit, word + 2, &left, err);
        } else {
            done = give_letters(submit, word + 1, &left, err);
        }
        if (done != 0) {
            return -1;
        }
    }
    return 0;
}

/* The verb */

static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; i < n_verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* "save, list, show": what may follow a first word; NULL: nothing. */
static char *second_words(const char *first)
{
    struct buf words = {0};
    size_t len = strlen(first);

    for (size_t i = 0; i < n_verbs; i++) {
        const char *name = verbs[i].name;
        if (strncmp(name, first, len) == 0 && name[len] == ' ') {
            (void)buf_addf(&words, "%s%s", words.len == 0 ? "" : ", ",
                           name + len + 1);
        }
    }
    return words.len == 0 ? NULL : buf_take(&words);
}

static void unknown_verb(const char *first, const char *both, struct err *err)
{
    const char *known[VERBS_KNOWN] = {NULL};
    size_t n = 0;
    _cleanup_free_ char *seconds = second_words(first);

    for (size_t i = 0; i < n_verbs && n < VERBS_KNOWN; i++) {
        known[n++] = verbs[i].name;
    }
    const char *meant = suggest(both, known, n);
    if (meant == NULL && seconds == NULL) {
        meant = suggest(first, known, n);
    }
    if (meant != NULL) {
        (void)err_exit(err, EXIT_USAGE,
                       "unknown verb '%.60s'; did you mean '%s'?",
                       strchr(meant, ' ') != NULL ? both : first, meant);
    } else if (seconds != NULL) {
        (void)err_exit(err, EXIT_USAGE, "'%s' what? There is: %s", first,
                       seconds);
    } else {
        (void)err_exit(err, EXIT_USAGE,
                       "unknown verb '%.60s': `submit help` tells which there "
                       "are",
                       first);
    }
}

const struct verb *find_verb(char *const *words, size_t n, size_t *ret_words,
                             struct err *err)
{
    _cleanup_free_ char *both = must_printf(
        "%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
    const struct verb *verb = n > 1 ? verb_named(both) : NULL;

    *ret_words = 2;
    if (verb == NULL) {
        *ret_words = 1;
        verb = verb_named(words[0]);
    }
    if (verb == NULL) {
        unknown_verb(words[0], both, err);
    }
    return verb;
}

static int check_flags(const struct submit *submit, struct err *err)
{
    for (size_t i = 0; i < submit->given.n; i++) {
        const char *name = list_at(&submit->given, struct pair, i).name;
        if (find_in(common_flags, name, strlen(name)) == NULL &&
            find_in(submit->verb->flags, name, strlen(name)) == NULL) {
            return err_exit(err, EXIT_USAGE,
                            "'%s' takes no --%s: `submit help %s`",
                            submit->verb->name, name, submit->verb->name);
        }
    }
    return 0;
}

static int check_format(const struct submit *submit, struct err *err)
{
    return submit->print.format != FORMAT_CSV || submit->verb->lists
               ? 0
               : err_exit(err, EXIT_USAGE,
                          "'%s' tells no list: -o csv is for lists",
                          submit->verb->name);
}

struct arity {
    size_t min, max;
};

/* Of "COMMAND [NAME=VALUE...]": what stands in brackets may be missing, and a
 * word with `...` may come again. */
static struct arity arity_of(const char *args)
{
    struct arity arity = {.max =
                              strstr(args, "...") != NULL ? SIZE_MAX / 2 : 0};
    bool optional = false;

    while (*args != '\0') {
        size_t len = strcspn(args, " ");
        optional |= args[0] == '[';
        arity.min += optional ? 0 : 1;
        arity.max++;
        optional &= args[len - 1] != ']';
        args += len + strspn(args + len, " ");
    }
    return arity;
}

static int check_number(const struct submit *submit, struct err *err)
{
    const struct verb *verb = submit->verb;
    struct arity arity = arity_of(verb->args);

    if (submit->n_args < arity.min) {
        return err_exit(err, EXIT_USAGE, "something is missing: submit %s %s",
                        verb->name, verb->args);
    }
    if (submit->n_args > arity.max && !verb->refuses) {
        return err_exit(err, EXIT_USAGE, "'%.60s' is too much: submit %s%s%s",
                        submit->args[arity.max], verb->name,
                        verb->args[0] == '\0' ? "" : " ", verb->args);
    }
    return 0;
}

static int read_format(struct submit *submit, struct err *err)
{
    const char *output = flag_value(submit, "output");

    submit->print.format =
        output == NULL ? FORMAT_TABLE : word_value(&format_words, output);
    if (submit->print.format == FORMAT_NONE) {
        _cleanup_free_ char *known = words_join(&format_words);
        return err_exit(err, EXIT_USAGE, "-o %.60s: expected %s", output,
                        known);
    }
    return 0;
}

int parse(struct submit *submit, int argc, char **argv, struct err *err)
{
    size_t words = 0;

    if (read_words(submit, argc, argv, err) != 0 ||
        read_format(submit, err) != 0) {
        return -1;
    }
    if (flag_given(submit, "help") || flag_given(submit, "version")) {
        return 0;
    }
    if (submit->n_args == 0) {
        return err_exit(err, EXIT_USAGE,
                        "what to do? `submit help` tells what there is");
    }
    submit->verb = find_verb(submit->args, submit->n_args, &words, err);
    if (submit->verb == NULL) {
        return -1;
    }
    submit->n_args -= words;
    memmove(submit->args, submit->args + words,
            (submit->n_args + 1) * sizeof(*submit->args));
    return check_flags(submit, err) != 0 || check_format(submit, err) != 0
               ? -1
               : check_number(submit, err);
}

void parse_done(struct submit *submit)
{
    pairs_done(&submit->given);
    free(submit->args);
    submit->args = NULL;
    submit->n_args = 0;
}

const char *flag_value_at(const struct submit *submit, const char *name,
                          size_t i)
{
    for (size_t g = 0; g < submit->given.n; g++) {
        const struct pair *pair = &list_at(&submit->given, struct pair, g);
        if (strcmp(pair->name, name) == 0 && i-- == 0) {
            return pair->value;
        }
    }
    return NULL;
}

const char *flag_value(const struct submit *submit, const char *name)
{
    const char *value = NULL;
    const char *next;

    for (size_t i = 0; (next = flag_value_at(submit, name, i)) != NULL; i++) {
        value = next;
    }
    return value;
}

void flag_texts(const struct submit *submit, const char *name,
                struct list *texts)
{
    const char *value;

    for (size_t i = 0; (value = flag_value_at(submit, name, i)) != NULL; i++) {
        if (!texts_hold(texts, value)) {
            texts_add(texts, value);
        }
    }
}

int flag_limit(const struct submit *submit, int64_t otherwise, int64_t most,
               int64_t *ret_limit, struct err *err)
{
    const char *text = flag_value(submit, "limit");
    char *end = NULL;
    int64_t limit = text != NULL ? strtoll(text, &end, 10) : otherwise;

    if (limit < 1 || limit > most || (end != NULL && *end != '\0')) {
        return err_exit(err, EXIT_USAGE,
                        "--limit wants a number from 1 to %lld, not '%.60s'",
                        (long long)most, text);
    }
    *ret_limit = limit;
    return 0;
}
