/*
 * setting_up.c: second_factor_set_up(), see second_factor.h.
 *
 * The secret is made here, in locked memory; it is shown on the terminal alone,
 * and leaves this machine sealed. Nothing is kept: what breaks off is begun
 * again with another secret.
 */
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <liboath/oath.h>

#include "base/clock.h"
#include "base/codec.h"
#include "producer/submit/qr.h"
#include "producer/submit/second_factor.h"

#define TRIES 5
#define SECRET_TEXT 33 /* base32 of 20 bytes, and NUL */
#define WINDOW 1       /* steps either side */

struct setting_up {
    struct submit *submit;
    struct deciders deciders;
    const struct key32 *session;
    unsigned char *secret;
    char *first;   /* the first code, checked here */
    char *current; /* of the factor before; NULL: there is none */
    unsigned char recovery[RECOVERY_CODES][RECOVERY_CODE];
};

static void setting_up_done(struct setting_up *setting)
{
    deciders_done(&setting->deciders);
    sodium_free(setting->secret);
    secret_free(setting->first);
    secret_free(setting->current);
    sodium_memzero(setting->recovery, sizeof(setting->recovery));
}

/* RFC 4648, section 6, capitals: as authenticator apps take it. */
static void base32(const unsigned char *secret, char text[static SECRET_TEXT])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    for (size_t i = 0; i < SECRET_TEXT - 1; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)secret[bit / 8] << 8;
        pair |= bit / 8 + 1 < TOTP_SECRET ? secret[bit / 8 + 1] : 0;
        text[i] = letters[pair >> (11 - bit % 8) & 31];
    }
    text[SECRET_TEXT - 1] = '\0';
}

/* What apps read: https://github.com/google/google-authenticator/wiki, "Key Uri
 * Format". An e-mail has nothing that needs escaping but perhaps a % or a ?. */
static char *uri_of(const struct profile *profile, const char *secret)
{
    char root[HASH_TEXT];
    struct buf email = {0};

    hash_format(&profile->root, root);
    for (const char *c = profile->email; *c != '\0'; c++) {
        bool plain = strchr("%?#&/+", *c) == NULL;
        if (buf_addf(&email, plain ? "%c" : "%%%02X", *c) != 0) {
            abort();
        }
    }
    char *uri = must_printf("otpauth://totp/Errand%%20%.8s:%s?secret=%s&issuer="
                            "Errand%%20%.8s",
                            root, buf_text(&email), secret, root);
    buf_done(&email);
    return uri;
}

static bool has_colour(void)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");

    return (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static int show_secret(const struct setting_up *setting, struct err *err)
{
    char secret[SECRET_TEXT];

    base32(setting->secret, secret);
    char *uri = uri_of(setting->submit->profile, secret);
    char *code = qr_render(uri, has_colour(), err);
    char *text = code == NULL
                     ? NULL
                     : must_printf("\nSet up your second factor: scan this "
                                   "with an authenticator app, or type the "
                                   "secret into it.\nSecret: %s\n%s",
                                   secret, code);
    int done = text == NULL ? -1 : prompt_show(text, err);
    qr_wipe(text);
    qr_wipe(code);
    qr_wipe(uri);
    sodium_memzero(secret, sizeof(secret));
    return done;
}

/* Whether the app has the secret is seen here, before anything is sent. */
static bool is_code(const struct setting_up *setting, const char *code)
{
    return oath_totp_validate((const char *)setting->secret, TOTP_SECRET,
                              time(NULL), TOTP_STEP / 1000, 0, WINDOW,
                              code) >= 0;
}

static int ask_first(struct setting_up *setting, struct err *err)
{
    for (int i = 0; i < TRIES; i++) {
        secret_free(setting->first);
        setting->first = code_ask("First code", NULL, err);
        if (setting->first != NULL && is_code(setting, setting->first)) {
            return 0;
        }
        if (setting->first == NULL && err->status != EXIT_DATA) {
            return -1;
        }
        say("That is not the code that belongs to this secret now.");
    }
    return err_exit(err, EXIT_DATA,
                    "no code fitted: compare the clocks of both devices, then "
                    "begin again");
}

/* Sending */

static int seal(const struct setting_up *setting, struct mfa_set *set,
                struct err *err)
{
    const struct profile *profile = setting->submit->profile;
    struct {
        const char *purpose;
        const void *value;
        size_t n;
        struct list *boxes;
    } parts[] = {
        {PURPOSE_SECRET, setting->secret, TOTP_SECRET, &set->secret},
        {PURPOSE_FIRST, setting->first, strlen(setting->first), &set->code},
        {PURPOSE_CODE, setting->current,
         setting->current == NULL ? 0 : strlen(setting->current),
         &set->current},
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        struct sealed content = {
            .purpose = (char *)parts[i].purpose,
            .signer = key_id(&profile->key),
            .request = set->request.head.id,
            .value = {.data = (void *)parts[i].value, .len = parts[i].n}};
        if (parts[i].value != NULL &&
            deciders_seal(&setting->deciders, profile, &content, parts[i].boxes,
                          err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int send_once(struct setting_up *setting, struct err *err)
{
    int64_t now = clock_now();
    struct mfa_set set = {.request.head = {.id = id_new(now), .issued = now}};

    if (setting->session != NULL) {
        set.session = *setting->session;
    }
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        struct hash *hash = list_grow(&set.recovery, sizeof(*hash));
        *hash = recovery_hash(&setting->submit->profile->user,
                              setting->recovery[i]);
    }
    int done = seal(setting, &set, err);
    if (done == 0) {
        done = submit_ask(setting->submit,
                          &(struct question){.as = ASK_OWN,
                                             .kind = EVENT_MFA_SET,
                                             .payload = &set},
                          err);
    }
    table_done(&mfa_set_table, &set);
    return done;
}

/* Where a code of the factor before was wrong, that one is asked for again. */
static int send(struct setting_up *setting, struct err *err)
{
    for (int i = 0; i < TRIES; i++) {
        if (send_once(setting, err) == 0) {
            return 0;
        }
        if (setting->current == NULL ||
            rpc_status(submit_rpc(setting->submit)) != REPLY_CODE) {
            return -1;
        }
        say("submit: %s", err->text);
        secret_free(setting->current);
        setting->current =
            code_ask("Code of your present second factor", NULL, err);
        if (setting->current == NULL) {
            return -1;
        }
    }
    return -1;
}

static int show_recovery(const struct setting_up *setting, struct err *err)
{
    struct buf text = {0};

    (void)buf_adds(&text,
                   "\nTen recovery codes, shown this once. Each opens one "
                   "session without your device: print them, or keep them "
                   "where a thief of this machine doesn't look.\n");
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        char *code = code_encode(setting->recovery[i], RECOVERY_CODE);
        (void)buf_addf(&text, "    %s\n", code);
        qr_wipe(code);
    }
    int done = prompt_show(buf_text(&text), err);
    sealed_wipe(&text);
    return done;
}

static int set_up(struct setting_up *setting, struct err *err)
{
    if (deciders_learn(setting->submit, &setting->deciders, err) != 0) {
        return -1;
    }
    if (setting->deciders.answer.mfa == MFA_ON) {
        setting->current =
            code_ask("Code of your present second factor", NULL, err);
        if (setting->current == NULL) {
            return -1;
        }
    }
    if (show_secret(setting, err) != 0 || ask_first(setting, err) != 0) {
        return -1;
    }
    int sent = send(setting, err);
    bool unsure = sent != 0 && err->status == EXIT_NO_ANSWER;
    struct err bad = {0};
    if ((sent != 0 && !unsure) || show_recovery(setting, &bad) != 0) {
        return -1;
    }
    if (sent == 0) {
        say("Your second factor is set up.");
    }
    return sent;
}

int second_factor_set_up(struct submit *submit, const struct key32 *session,
                         struct err *err)
{
    struct setting_up setting = {.submit = submit, .session = session};

    if (!prompt_can()) {
        return err_exit(err, EXIT_NOT_ALLOWED,
                        "a second factor is set up on a terminal: submit "
                        "login, there");
    }
    setting.secret = sodium_malloc(TOTP_SECRET);
    if (setting.secret == NULL) {
        abort();
    }
    randombytes_buf(setting.secret, TOTP_SECRET);
    randombytes_buf(setting.recovery, sizeof(setting.recovery));
    int done = set_up(&setting, err);
    setting_up_done(&setting);
    return done;
}
