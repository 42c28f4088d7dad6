/*
 * post.c: see post.h. libcurl (https://curl.se/libcurl/c/) tells how a dialogue
 * ended by one code for many ends; what was asked last, and what the server
 * said to it, is taken from its trace. That shows passwords too: nothing of
 * what we sent is kept but a command's first four letters.
 */
#include "consumer/notifier/post.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/file.h"
#include "base/words.h"
#include "consumer/notifier/wire.h"
#include "model/user.h"

#define VERB 4
#define SAID_MAX 400
#define SECRET_MAX 1024

enum tls { TLS_NONE, TLS_REQUIRED, TLS_OPTIONAL, TLS_OFF };

WORDS(tls_words, "required", "optional", "none");

struct post {
    const struct config *config;
    struct wire *wire;
    struct flight flight; /* of the mail that goes */
    struct curl_slist *to;
    const struct buf *bytes;
    size_t at; /* how much of them was read */
    int tls;
    char *secret; /* sodium_malloc: name NUL password NUL; NULL: none */
    bool over;    /* QUIT was sent */
    char verb[VERB + 1];
    char said[SAID_MAX + 1]; /* the server's last line */
    char trouble[CURL_ERROR_SIZE];
};

static const char *setting(const struct post *post, const char *key)
{
    return config_text(post->config, "smtp", key);
}

/* Name and password of the file, as two strings in locked memory. */
static int read_credentials(struct post *post, const char *path,
                            struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    int done = file_read_private(path, SECRET_MAX, &text, err);

    if (done == 0) {
        char *at = (char *)text.data;
        post->secret = sodium_malloc(SECRET_MAX + 2);
        if (post->secret == NULL) {
            abort();
        }
        sodium_memzero(post->secret, SECRET_MAX + 2);
        memcpy(post->secret, text.len == 0 ? "" : at, text.len);
        char *end = strpbrk(post->secret, "\r\n");
        done = end == NULL || end == post->secret ? -1 : 0;
        for (; end != NULL && (*end == '\r' || *end == '\n'); end++) {
            *end = '\0';
        }
        char *last = end == NULL ? NULL : strpbrk(end, "\r\n");
        if (last != NULL) {
            *last = '\0';
        }
        done = done != 0 || *end == '\0'
                   ? err_exit(err, EX_CONFIG,
                              "[smtp] credentials_file %s: expected a name, "
                              "and in the second line a password",
                              path)
                   : 0;
    }
    if (text.data != NULL) {
        sodium_memzero(text.data, text.cap);
    }
    return done;
}

static const char *password_of(const struct post *post)
{
    const char *at = post->secret + strlen(post->secret);

    while (*at == '\0') {
        at++;
    }
    return at;
}

static int check_settings(struct post *post, struct err *err)
{
    const char *url = setting(post, "url");
    const char *credentials = setting(post, "credentials_file");
    bool always = strncmp(url, "smtps://", 8) == 0;
    _cleanup_free_ char *from = email_normal(setting(post, "from"), err);

    post->tls = word_value(&tls_words, setting(post, "tls"));
    if (from == NULL) {
        err->status = EX_CONFIG;
        return err_wrap(err, "[smtp] from");
    }
    if (!always && strncmp(url, "smtp://", 7) != 0) {
        return err_exit(err, EX_CONFIG,
                        "[smtp] url %s: expected smtp://HOST:PORT or "
                        "smtps://HOST:PORT",
                        url);
    }
    if (post->tls == TLS_NONE) {
        return err_exit(err, EX_CONFIG,
                        "[smtp] tls %s: expected required, optional or none",
                        setting(post, "tls"));
    }
    if (credentials == NULL) {
        return 0;
    }
    return always || post->tls == TLS_REQUIRED
               ? read_credentials(post, credentials, err)
               : err_exit(err, EX_CONFIG,
                          "[smtp] credentials_file wants tls = required: a "
                          "password does not travel in clear");
}

struct post *post_new(const struct config *config, struct wire *wire,
                      struct err *err)
{
    struct post *post = must_calloc(1, sizeof(*post));

    post->config = config;
    post->wire = wire;
    if (check_settings(post, err) != 0) {
        post_free(post);
        return NULL;
    }
    return post;
}

void post_free(struct post *post)
{
    if (post == NULL) {
        return;
    }
    post_abort(post);
    if (post->secret != NULL) {
        sodium_free(post->secret);
    }
    free(post);
}

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct post *post = arg;
    size_t left = post->bytes->len - post->at;
    size_t len = size * n < left ? size * n : left;

    memcpy(to, post->bytes->data + post->at, len);
    post->at += len;
    return len;
}

/* A line of the server's, without what a log or a terminal should not get. */
static void take_line(struct post *post, const char *line, size_t n)
{
    size_t len = 0;

    if (n < 3) {
        return;
    }
    for (size_t i = 0; i < n && len < SAID_MAX; i++) {
        unsigned char byte = (unsigned char)line[i];
        if (byte != '\r' && byte != '\n') {
            post->said[len++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
        }
    }
    post->said[len] = '\0';
}

/* Commands whose answers matter; QUIT comes after the verdict. */
static bool is_command(const char *data, size_t n)
{
    static const char *const verbs[] = {"EHLO", "HELO", "STAR", "AUTH",
                                        "MAIL", "RCPT", "DATA", "QUIT"};

    for (size_t i = 0; i < ARRAY_SIZE(verbs) && n > VERB; i++) {
        if (memcmp(data, verbs[i], VERB) == 0) {
            return true;
        }
    }
    return false;
}

static int trace(CURL *easy, curl_infotype type, char *data, size_t n,
                 void *arg)
{
    struct post *post = arg;

    (void)easy;
    if (type == CURLINFO_HEADER_OUT && is_command(data, n)) {
        post->over = memcmp(data, "QUIT", VERB) == 0;
        if (!post->over) {
            memcpy(post->verb, data, VERB);
            post->said[0] = '\0';
        }
    } else if (type == CURLINFO_HEADER_IN && !post->over) {
        take_line(post, data, n);
    }
    return 0;
}

static void set_server(struct post *post, CURL *easy)
{
    static const long use[] = {[TLS_REQUIRED] = CURLUSESSL_ALL,
                               [TLS_OPTIONAL] = CURLUSESSL_TRY,
                               [TLS_OFF] = CURLUSESSL_NONE};
    const char *ca = setting(post, "ca_file");

    (void)curl_easy_setopt(easy, CURLOPT_URL, setting(post, "url"));
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL, use[post->tls]);
    if (ca != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    }
    if (post->secret != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, post->secret);
        (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, password_of(post));
    }
    (void)curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS,
        (long)config_int(post->config, "smtp", "connect_timeout") * 1000);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                           (long)config_int(post->config, "smtp", "timeout") *
                               1000);
}

void post_begin(struct post *post, const char *to, const struct buf *bytes)
{
    _cleanup_free_ char *from = must_printf("<%s>", setting(post, "from"));
    _cleanup_free_ char *rcpt = must_printf("<%s>", to);

    CURL *easy = curl_easy_init();
    post->to = curl_slist_append(NULL, rcpt);
    if (easy == NULL || post->to == NULL) {
        abort();
    }
    post->bytes = bytes;
    post->at = 0;
    post->over = false;
    post->verb[0] = '\0';
    post->said[0] = '\0';
    post->trouble[0] = '\0';
    set_server(post, easy);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->trouble);
    (void)curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, trace);
    (void)curl_easy_setopt(easy, CURLOPT_DEBUGDATA, post);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, post->to);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, post);
    (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                           (curl_off_t)bytes->len);
    wire_begin_take(post->wire, &post->flight, easy);
}

void post_abort(struct post *post)
{
    wire_end(post->wire, &post->flight);
    curl_slist_free_all(post->to);
    post->to = NULL;
}

static bool is_about_mail(const char *verb)
{
    return strcmp(verb, "RCPT") == 0 || strcmp(verb, "DATA") == 0;
}

enum post_verdict post_verdict_of(bool good, long code, const char *verb)
{
    if (good) {
        return POST_SENT;
    }
    return is_about_mail(verb) && code >= 500 && code < 600 ? POST_REFUSED
                                                            : POST_LATER;
}

enum post_verdict post_step(struct post *post, bool *ret_away,
                            struct err *reason)
{
    CURLcode result = wire_step(post->wire, &post->flight);
    long code = 0;

    if (result == CURLE_AGAIN) {
        return POST_GOING;
    }
    if (post->said[0] != '\0') {
        code = strtol(post->said, NULL, 10);
    }
    enum post_verdict verdict =
        post_verdict_of(result == CURLE_OK, code, post->verb);
    *ret_away =
        verdict == POST_LATER && !(is_about_mail(post->verb) && code >= 400);
    (void)err_set(reason, verdict == POST_REFUSED ? ERR_REJECT : ERR_RETRY,
                  "%s",
                  code >= 400                ? post->said
                  : post->trouble[0] != '\0' ? post->trouble
                                             : curl_easy_strerror(result));
    post_abort(post);
    return verdict;
}
