/*
 * cmd_billing.c: billing init, billing export: the two ends of a card's way
 * that are not its owner's.
 *
 * init makes a key pair and publishes one half; the other is in a file for
 * whoever does the payments, locked by its own password. export reads
 * everybody's steps, checks all of them, and only then opens what may be
 * opened: each card, or a line that names it and says what is wrong with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "producer/submit/asking.h"
#include "producer/submit/cards_asked.h"
#include "producer/submit/files.h"
#include "producer/submit/founding.h"
#include "trust/sealed.h"

#define TRIES 3
#define LINE_BYTES 4096

/* billing init */

static int publish(struct submit *submit, const struct key_pair *pair,
                   struct billing_key *key, struct err *err)
{
    struct billing_init init = {.box = pair->box,
                                .generation = key->generation + 1,
                                .previous = key->hash};

    key->generation = init.generation;
    return submit_ask(submit,
                      &(struct question){.as = ASK_OWN,
                                         .kind = EVENT_BILLING_INIT,
                                         .payload = &init},
                      err);
}

/* The file first: a key that was published and is nowhere would be the end of
 * what is sealed to it. */
static int make_key(struct submit *submit, const char *out,
                    const char *password, struct billing_key *key,
                    struct err *err)
{
    _cleanup_files_ struct files files = {0};
    _cleanup_key_pair_ struct key_pair *pair = key_pair_new();

    if (files_key(&files, out, pair, password, err) != 0) {
        return -1;
    }
    int done = publish(submit, pair, key, err);
    files.keep = done == 0 || err->status == EXIT_NO_ANSWER;
    return done == 0 || !files.keep
               ? done
               : err_wrap(err,
                          "%s is kept: it is needed if the key was published "
                          "after all",
                          out);
}

int cmd_billing_init(struct submit *submit, struct err *err)
{
    const char *out = flag_value(submit, "out");
    struct password_rules rules = {.email = submit->profile->email};
    struct billing_key key;

    if (out == NULL) {
        return err_exit(err, EXIT_USAGE,
                        "--out FILE is missing: where the secret half goes");
    }
    if (files_absent(out, "a billing key opens the cards of its time: keep it",
                     err) != 0 ||
        billing_key_ask(submit, &key, err) != 0 ||
        asking_unlock(submit, NULL, err) != 0) {
        return -1;
    }
    _cleanup_secret_ char *password =
        new_password("New password of the billing key",
                     flag_value(submit, "billing-password-file"),
                     "--billing-password-file FILE", &rules, err);
    if (password == NULL || make_key(submit, out, password, &key, err) != 0) {
        return -1;
    }
    say("The billing key of generation %lld is published: cards are sealed to "
        "it from now on.",
        (long long)key.generation);
    say("  %s: its secret half. Give it to whoever does the payments; keep it "
        "and its password off line, on no server.",
        out);
    if (key.generation > 1) {
        say("Cards that are there already stay with the key before: keep that "
            "one, too.");
    }
    return 0;
}

/* billing export */

struct opener {
    struct list keys; /* struct key_pair * */
    struct told told;
    int fd;        /* where lines go */
    size_t faults; /* said so far */
    bool saying;   /* the first time through: nothing comes out */
};

static void opener_done(struct opener *opener)
{
    for (size_t i = 0; i < opener->keys.n; i++) {
        key_pair_free(list_at(&opener->keys, struct key_pair *, i));
    }
    free(opener->keys.items);
    told_done(&opener->told);
}

/* The i-th key's password: from the i-th file, the only one, or asked for. */
static char *key_password(const struct submit *submit, const char *path,
                          size_t i, struct err *err)
{
    const char *only = flag_value_at(submit, "billing-password-file", 1) == NULL
                           ? flag_value(submit, "billing-password-file")
                           : NULL;
    const char *file = flag_value_at(submit, "billing-password-file", i);
    _cleanup_free_ char *question = must_printf("Password of %s", path);

    file = file != NULL ? file : only;
    return file != NULL
               ? secret_from_file(file, err)
               : prompt_secret(question, "--billing-password-file FILE", err);
}

static int read_key(const struct submit *submit, size_t i,
                    struct opener *opener, struct err *err)
{
    const char *path = flag_value_at(submit, "key", i);
    bool typed = !flag_given(submit, "billing-password-file");
    struct key_pair *pair = NULL;

    for (int try = 1;; try++) {
        _cleanup_secret_ char *password = key_password(submit, path, i, err);
        if (password == NULL) {
            return -1;
        }
        if (key_file_read(path, password, &pair, err) == 0) {
            *(struct key_pair **)list_grow(&opener->keys, sizeof(pair)) = pair;
            return 0;
        }
        if (!typed || err->status != EXIT_NOT_ALLOWED || try == TRIES) {
            return -1;
        }
        say("wrong password");
    }
}

static int read_keys(const struct submit *submit, struct opener *opener,
                     struct err *err)
{
    if (!flag_given(submit, "key")) {
        return err_exit(err, EXIT_USAGE,
                        "--key FILE is missing: what `submit billing init` "
                        "wrote");
    }
    for (size_t i = 0; flag_value_at(submit, "key", i) != NULL; i++) {
        if (read_key(submit, i, opener, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static const struct key_pair *key_of(const struct opener *opener,
                                     const struct key32 *box)
{
    for (size_t i = 0; i < opener->keys.n; i++) {
        const struct key_pair *pair =
            list_at(&opener->keys, struct key_pair *, i);
        if (memcmp(pair->box.b, box->b, sizeof(box->b)) == 0) {
            return pair;
        }
    }
    return NULL;
}

_printf_(2, 3) static void fault(struct opener *opener, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    _cleanup_free_ char *text = must_vprintf(fmt, args);
    va_end(args);
    if (opener->saying) {
        say("submit: %s", text);
        opener->faults++;
    }
}

struct line {
    struct card_secret secret;
    char *brand;
    char *email;
    struct id user;
    struct id card;
    bool is_default;
    int64_t added;
};

static const struct field line_fields[] = {
    {"number", FIELD_TEXT, .at = offsetof(struct line, secret.number)},
    {"name", FIELD_TEXT, .at = offsetof(struct line, secret.name)},
    {"expiry", FIELD_TEXT, .at = offsetof(struct line, secret.expiry)},
    {"brand", FIELD_TEXT, .at = offsetof(struct line, brand)},
    {"email", FIELD_TEXT, .at = offsetof(struct line, email)},
    {"user", FIELD_ID, .at = offsetof(struct line, user)},
    {"card", FIELD_ID, .at = offsetof(struct line, card)},
    {"default", FIELD_BOOL, .at = offsetof(struct line, is_default)},
    {"added", FIELD_TIME, .at = offsetof(struct line, added)},
};

static const struct table line_table = {
    .name = "card", TABLE(line_fields), .size = sizeof(struct line)};

static int put_line(const struct opener *opener, const struct line *line,
                    struct err *err)
{
    _cleanup_(sealed_wipe) struct buf json = {0};
    size_t at = 0;

    if (buf_reserve(&json, LINE_BYTES) != 0 ||
        table_encode(&line_table, line, &json, err) != 0 ||
        buf_adds(&json, "\n") != 0) {
        return -1;
    }
    while (at < json.len) {
        ssize_t n = write(opener->fd, json.data + at, json.len - at);
        if (n < 0 && errno != EINTR) {
            return err_exit(err, EXIT_OUTPUT, "writing the cards: %s",
                            strerror(errno));
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Opens a card; 0, or 1 where it can't be (which is said). */
static int open_card(struct opener *opener, const struct wallet *wallet,
                     const struct card *card, struct card_secret *ret_secret)
{
    const struct billing_init *init = NULL;
    const char *email = wallet->person.email;
    char id[ID_TEXT];
    struct err err = {0};

    id_format(&card->card, id);
    if (proof_billing(opener->told.proof, &card->billing, &init, &err) != 0) {
        fault(opener, "card %s of %s: %s", id, email, err.text);
        return 1;
    }
    const struct key_pair *pair = key_of(opener, &init->box);
    if (pair == NULL) {
        fault(opener,
              "card %s of %s: is sealed to the billing key of generation %lld: "
              "give that key, too (--key FILE)",
              id, email, (long long)init->generation);
        return 1;
    }
    if (card_open(pair, opener->told.proof, wallet, card, ret_secret, &err) !=
        0) {
        fault(opener, "card %s of %s: %s", id, email, err.text);
        return 1;
    }
    return 0;
}

static int put_card(struct opener *opener, const struct wallet *wallet,
                    const struct card *card, struct err *err)
{
    struct line line = {
        .brand = (char *)word_text(&brand_words, card->brand),
        .email = (char *)wallet->person.email,
        .user = wallet->person.user,
        .card = card->card,
        .is_default = card->is_default,
        .added = card->added,
    };

    if (open_card(opener, wallet, card, &line.secret) != 0) {
        return 0;
    }
    int done = opener->saying ? 0 : put_line(opener, &line, err);
    card_secret_wipe(&line.secret);
    return done;
}

static int put_wallet(struct opener *opener, const struct wallet *wallet,
                      struct err *err)
{
    for (size_t i = 0; i < wallet->cards.n; i++) {
        if (put_card(opener, wallet, &list_at(&wallet->cards, struct card, i),
                     err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The rows of one user, from `at` on; nothing of theirs counts where a step is
 * missing, since what they have now is not known then. Returns where the next
 * user's begin, or -1. */
static ssize_t put_person(struct opener *opener, size_t at, struct err *err)
{
    const struct list *steps = &opener->told.steps;
    const struct id *user = &list_at(steps, struct step_row, at).user;
    _cleanup_wallet_ struct wallet wallet = {0};
    bool good = true;
    char id[ID_TEXT];

    id_format(user, id);
    for (; at < steps->n; at++) {
        const struct step_row *row = &list_at(steps, struct step_row, at);
        struct err bad = {0};
        if (!id_equal(&row->user, user)) {
            break;
        }
        if (wallet_add(&wallet, opener->told.proof, user, &row->envelope,
                       &bad) != 0) {
            fault(opener, "the cards of %s: step %lld: %s",
                  wallet.steps.n > 0 ? wallet.person.email : id,
                  (long long)row->number, bad.text);
            good = false;
        }
    }
    return good && put_wallet(opener, &wallet, err) != 0 ? -1 : (ssize_t)at;
}

static int put_everybody(struct opener *opener, bool saying, struct err *err)
{
    opener->saying = saying;
    for (ssize_t at = 0; (size_t)at < opener->told.steps.n;) {
        at = put_person(opener, (size_t)at, err);
        if (at < 0) {
            return -1;
        }
    }
    return 0;
}

static int check_out(const struct submit *submit, const char *out,
                     struct err *err)
{
    if (out != NULL && strcmp(out, "-") != 0) {
        return files_absent(out, "an export is never written over", err);
    }
    return submit->print.terminal && !flag_given(submit, "force")
               ? err_exit(err, EXIT_USAGE,
                          "card numbers would stay readable on this terminal: "
                          "take --out FILE, or --force")
               : 0;
}

/* The first time through says what is wrong, the second puts out the rest. */
static int put_out(struct submit *submit, struct opener *opener,
                   struct err *err)
{
    if (put_everybody(opener, true, err) != 0) {
        return -1;
    }
    if (opener->faults > 0 && !flag_given(submit, "keep-going")) {
        return err_exit(err, EXIT_DATA,
                        "nothing was exported: %zu faults, see above; "
                        "--keep-going exports the rest",
                        opener->faults);
    }
    if (put_everybody(opener, false, err) != 0) {
        return -1;
    }
    return opener->faults == 0
               ? 0
               : err_exit(err, EXIT_DATA,
                          "the export is not whole: %zu faults, see above",
                          opener->faults);
}

static int export(struct submit *submit, struct opener *opener, struct err *err)
{
    const char *out = flag_value(submit, "out");
    bool piped = out == NULL || strcmp(out, "-") == 0;
    _cleanup_close_ int fd = -1;

    if (check_out(submit, out, err) != 0 ||
        read_keys(submit, opener, err) != 0 ||
        steps_ask_all(submit, &opener->told, err) != 0) {
        return -1;
    }
    if (!piped) {
        fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) {
            return err_exit(err, EXIT_OUTPUT, "%s: %s", out, strerror(errno));
        }
    }
    opener->fd = piped ? STDOUT_FILENO : fd;
    int done = put_out(submit, opener, err);
    if (!piped && done != 0 && !flag_given(submit, "keep-going")) {
        (void)unlink(out);
    }
    return done;
}

int cmd_billing_export(struct submit *submit, struct err *err)
{
    struct opener opener = {0};
    int done = export(submit, &opener, err);

    opener_done(&opener);
    return done;
}
