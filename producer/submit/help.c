/* help.c: see help.h; and the verb help. */
#include "producer/submit/help.h"

#include <string.h>

#include "producer/submit/parse.h"

static const char exit_codes[] =
    "What submit's exit status means:\n"
    "   0  run: all succeeded; reads: it could be told; changes: done\n"
    "   1  run, result: any other outcome\n"
    "  64  usage: the command line\n"
    "  65  bad data: a file's, an argument's, or something came between\n"
    "  66  your file can't be read\n"
    "  67  no such thing, or not yours\n"
    "  69  the broker is out of reach\n"
    "  70  a bug of ours\n"
    "  74  the output can't be written\n"
    "  75  no end or no answer yet (Ctrl-C, silence)\n"
    "  77  not signed in, or a verb that is not of your role\n"
    "  78  configuration\n";

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

static void print_flags(FILE *out, const struct flag *flags, size_t n)
{
    for (size_t i = 0; i < n && flags[i].name != NULL; i++) {
        char letter[8] = "    ";
        if (flags[i].letter != 0) {
            (void)snprintf(letter, sizeof(letter), "-%c, ", flags[i].letter);
        }
        _cleanup_free_ char *flag = must_printf(
            "--%s%s%s", flags[i].name, flags[i].value == NULL ? "" : " ",
            flags[i].value == NULL ? "" : flags[i].value);
        (void)fprintf(out, "  %s%-26s %s\n", letter, flag, flags[i].help);
    }
}

static void print_all(FILE *out)
{
    (void)fputs("Usage: submit VERB [ARGUMENTS] [FLAGS]\n"
                "Run commands that administrators prepared for you.\n",
                out);
    print_group(out, "Commands and runs", FOR_EVERYBODY);
    print_group(out, "For administrators", FOR_ADMINISTRATORS);
    (void)fputs("\nFlags, before or after the verb\n", out);
    print_flags(out, common_flags, n_common_flags);
    (void)fputs("\n`submit help VERB` tells more, `submit help exit-codes` "
                "what the exit status means.\n",
                out);
}

static void print_verb(FILE *out, const struct verb *verb)
{
    (void)fprintf(out, "Usage: submit %s%s%s\n%s\n", verb->name,
                  verb->args[0] == '\0' ? "" : " ", verb->args, verb->summary);
    if (verb->help != NULL) {
        (void)fprintf(out, "\n%s\n", verb->help);
    }
    (void)fputs("\nFlags\n", out);
    print_flags(out, verb->flags, VERB_FLAGS_MAX);
    print_flags(out, common_flags, n_common_flags);
}

/* All verbs that open with this word ("command"), after a blank line where
 * something stands before them; false: none. */
static bool print_family(FILE *out, const char *word, bool after)
{
    size_t len = strlen(word);
    bool any = false;

    for (size_t i = 0; i < n_verbs; i++) {
        if (strncmp(verbs[i].name, word, len) == 0 &&
            verbs[i].name[len] == ' ') {
            (void)fputs(after ? "\n" : "", out);
            after = false;
            (void)fprintf(out, "submit %s %s\n    %s\n", verbs[i].name,
                          verbs[i].args, verbs[i].summary);
            any = true;
        }
    }
    return any;
}

int help_print(const struct submit *submit, char *const *words, size_t n,
               struct err *err)
{
    FILE *out = submit->print.out;
    size_t used;

    if (n == 0) {
        print_all(out);
        return 0;
    }
    if (strcmp(words[0], "exit-codes") == 0) {
        (void)fputs(exit_codes, out);
        return 0;
    }
    const struct verb *verb = find_verb(words, n, &used, err);
    if (verb != NULL) {
        print_verb(out, verb);
    }
    if (n == 1 && print_family(out, words[0], verb != NULL)) {
        return 0;
    }
    return verb == NULL ? -1 : 0;
}

int cmd_help(struct submit *submit, struct err *err)
{
    return help_print(submit, submit->args, submit->n_args, err);
}
