/* help.c: see help.h; and the verb help. */
#include "producer/submit/help.h"

#include <string.h>

#include "model/reply.h"
#include "model/user.h"
#include "producer/submit/parse.h"
#include "producer/submit/wrap.h"

#define LINE 79 /* columns of a text */

static const char exit_codes[] =
    "What submit's exit status means:\n"
    "   0  run: all succeeded; reads: it could be told; changes: done\n"
    "   1  run, result: any other outcome\n"
    "  64  usage: the command line\n"
    "  65  bad data: a file's, an argument's, or something came between\n"
    "  66  your file can't be read\n"
    "  67  " NOT_FOUND_TEXT "\n"
    "  69  the broker is out of reach\n"
    "  70  a bug of ours\n"
    "  74  the output can't be written\n"
    "  75  no end or no answer yet (Ctrl-C, silence)\n"
    "  77  not signed in, or a verb that is not of your role\n"
    "  78  configuration\n";

static const struct group {
    enum audience who;
    const char *title;
    unsigned roles; /* a bit for each */
} groups[] = {
    {FOR_EVERYBODY, "Commands and runs", ~0U},
    {FOR_BILLING, "Payment cards",
     1U << ROLE_ADMINISTRATOR | 1U << ROLE_RUNNER_BILLING},
    {FOR_ADMINISTRATORS, "For administrators", 1U << ROLE_ADMINISTRATOR},
};

static bool is_for(enum audience who, int role)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (groups[i].who == who) {
            return role == ROLE_NONE || (groups[i].roles & 1U << role) != 0;
        }
    }
    return false;
}

bool verb_is_for(const struct verb *verb, int role)
{
    return is_for(verb->who, role);
}

/* As the profile's own envelopes say, without asking anybody. Where there is
 * none yet, or it can't be read, help is for everybody. */
static int own_role(void)
{
    struct err ignored = {0};
    struct profile *profile = profile_open(&ignored);
    int role = profile == NULL ? ROLE_NONE : profile->role;

    profile_free(profile);
    return role;
}

static size_t width_of(const struct verb *verb)
{
    return strlen(verb->name) + 1 + strlen(verb->args);
}

static void print_group(FILE *out, const char *title, enum audience who)
{
    size_t width = 0;

    for (size_t i = 0; i < n_verbs; i++) {
        size_t w = width_of(&verbs[i]);
        width = verbs[i].who == who && w > width ? w : width;
    }
    (void)fprintf(out, "\n%s\n", title);
    for (size_t i = 0; i < n_verbs; i++) {
        if (verbs[i].who == who) {
            (void)fprintf(out, "  %s %-*s  %s\n", verbs[i].name,
                          (int)(width - strlen(verbs[i].name) - 1),
                          verbs[i].args, verbs[i].summary);
        }
    }
}

/* NULL: there are none. */
static void print_flags(FILE *out, const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        char letter[8] = "    ";
        if (flags->help == NULL) {
            continue;
        }
        if (flags->letter != 0) {
            (void)snprintf(letter, sizeof(letter), "-%c, ", flags->letter);
        }
        _cleanup_free_ char *flag = must_printf(
            "--%s%s%s", flags->name, flags->value == NULL ? "" : " ",
            flags->value == NULL ? "" : flags->value);
        (void)fprintf(out, "  %s%-26s %s\n", letter, flag, flags->help);
    }
}

/* A text of words, in lines of LINE columns at most. */
static void print_text(FILE *out, const char *text)
{
    _cleanup_buf_ struct buf lines = {0};

    (void)wrap_add(&lines, "", text, 0, LINE);
    (void)fputs(buf_text(&lines), out);
}

static void print_indented(FILE *out, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        (void)fprintf(out, "    %.*s\n", (int)len, lines);
        lines += len;
        lines += *lines == '\n' ? 1 : 0;
    }
}

static void print_all(FILE *out, int role)
{
    (void)fputs("Usage: submit VERB [ARGUMENTS] [FLAGS]\n"
                "Run commands that administrators prepared for you. `submit` "
                "alone goes step\nby step, and needs nothing of this.\n",
                out);
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (is_for(groups[i].who, role)) {
            print_group(out, groups[i].title, groups[i].who);
        }
    }
    (void)fputs("\nFlags, before or after the verb\n", out);
    print_flags(out, common_flags);
    (void)fputs("\n`submit help VERB` tells more, `submit help exit-codes` "
                "what the exit status means.\n",
                out);
}

static void print_verb(FILE *out, const struct verb *verb)
{
    (void)fprintf(out, "Usage: submit %s%s%s\n%s\n", verb->name,
                  verb->args[0] == '\0' ? "" : " ", verb->args, verb->summary);
    if (verb->help != NULL) {
        (void)fputc('\n', out);
        print_text(out, verb->help);
    }
    if (verb->example != NULL) {
        (void)fputc('\n', out);
        print_indented(out, verb->example);
    }
    (void)fputs("\nFlags\n", out);
    print_flags(out, verb->flags);
    print_flags(out, common_flags);
}

/* All verbs for this role that open with this word ("command"), after a blank
 * line where something stands before them; false: none. `out` may be NULL:
 * nothing is printed then. */
static bool print_family(FILE *out, const char *word, int role, bool after)
{
    size_t len = strlen(word);
    bool any = false;

    for (size_t i = 0; i < n_verbs; i++) {
        if (strncmp(verbs[i].name, word, len) == 0 &&
            verbs[i].name[len] == ' ' && is_for(verbs[i].who, role)) {
            any = true;
            if (out != NULL) {
                (void)fprintf(out, "%ssubmit %s%s%s\n    %s\n",
                              after ? "\n" : "", verbs[i].name,
                              verbs[i].args[0] == '\0' ? "" : " ",
                              verbs[i].args, verbs[i].summary);
            }
            after = false;
        }
    }
    return any;
}

static int not_for_role(const char *verb, int role, struct err *err)
{
    return err_exit(err, EXIT_NOT_ALLOWED,
                    "'%s' is not for you: here you are a %s", verb,
                    word_text(&role_words, role));
}

int help_print(const struct submit *submit, char *const *words, size_t n,
               struct err *err)
{
    FILE *out = submit->print.out;
    int role = own_role();
    size_t used;

    if (n == 0) {
        print_all(out, role);
        return 0;
    }
    if (strcmp(words[0], "exit-codes") == 0) {
        (void)fputs(exit_codes, out);
        return 0;
    }
    const struct verb *verb = find_verb(words, n, &used, err);
    bool mine = verb != NULL && is_for(verb->who, role);
    if (mine) {
        print_verb(out, verb);
    }
    if ((n == 1 && print_family(out, words[0], role, mine)) || mine) {
        err_clear(err);
        return 0;
    }
    if (n == 1 && print_family(NULL, words[0], ROLE_NONE, false)) {
        return not_for_role(words[0], role, err);
    }
    return verb == NULL ? -1 : not_for_role(verb->name, role, err);
}

int cmd_help(struct submit *submit, struct err *err)
{
    return help_print(submit, submit->args, submit->n_args, err);
}
