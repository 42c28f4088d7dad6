/* hook.c: see hook.h. */
#include "consumer/notifier/hook.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/notifier/hook_keys.h"
#include "consumer/notifier/wire.h"
#include "trust/sealed.h"

#define ANSWER_MAX (64 * 1024)

struct hook {
    const struct config *config;
    struct wire *wire;
    char *name;
    struct flight flight;
    struct curl_slist *headers;
    struct err failed; /* it could not be begun */
    size_t answered;   /* bytes of the answer */
    char trouble[CURL_ERROR_SIZE];
};

struct hook *hook_new(const struct config *config, struct wire *wire,
                      const char *name)
{
    struct hook *hook = must_calloc(1, sizeof(*hook));

    hook->config = config;
    hook->wire = wire;
    hook->name = must_strdup(name);
    return hook;
}

void hook_abort(struct hook *hook)
{
    wire_end(hook->wire, &hook->flight);
    curl_slist_free_all(hook->headers);
    hook->headers = NULL;
    err_clear(&hook->failed);
}

void hook_free(struct hook *hook)
{
    if (hook != NULL) {
        hook_abort(hook);
        free(hook->name);
        free(hook);
    }
}

/* The name is one that name_is_good(): no path. Errors name no folder of this
 * host: they are told on errand.events. */
static struct hook_keys *read_keys(struct hook *hook, struct err *err)
{
    const char *folder = config_text(hook->config, "webhook", "folder");
    _cleanup_sealed_ struct buf text = {0};

    if (folder == NULL) {
        (void)err_set(err, ERR_RETRY,
                      "this notifier knows no webhooks: its configuration has "
                      "no [webhook] folder");
        return NULL;
    }
    _cleanup_free_ char *path = must_printf("%s/%s", folder, hook->name);
    struct hook_keys *keys = NULL;
    if (!file_exists(path)) {
        (void)err_set(err, ERR_RETRY,
                      "this notifier knows no webhook %s: there is no file of "
                      "that name in its [webhook] folder",
                      hook->name);
    } else if (buf_reserve(&text, HOOK_FILE_MAX + 1) != 0 ||
               file_read_private(path, HOOK_FILE_MAX, &text, err) != 0) {
        (void)err_set(err, ERR_RETRY,
                      "the file of webhook %s can't be read, or not by its "
                      "owner alone (0600), or is over %d bytes",
                      hook->name, HOOK_FILE_MAX);
    } else {
        struct err bad = {0};
        keys = hook_keys_read(buf_text(&text), &bad);
        if (keys == NULL) {
            (void)err_set(err, ERR_RETRY, "the file of webhook %s: %.200s",
                          hook->name, bad.text);
        }
    }
    return keys;
}

static void add_header_take(struct hook *hook, char *text)
{
    struct curl_slist *headers = curl_slist_append(hook->headers, text);

    if (headers == NULL) {
        abort(); /* some hundred bytes */
    }
    hook->headers = headers;
    free(text);
}

static void add_headers(struct hook *hook, const struct hook_keys *keys,
                        const struct id *id, const struct buf *bytes)
{
    int64_t now = clock_now() / 1000;
    _cleanup_buf_ struct buf signature = {0};
    char text[ID_TEXT];

    id_format(id, text);
    if (hook_sign(keys, text, now, bytes, &signature) != 0) {
        abort();
    }
    add_header_take(hook, must_strdup("Content-Type: application/json"));
    add_header_take(hook, must_strdup("User-Agent: Errand/" ERRAND_VERSION));
    add_header_take(hook, must_strdup("Expect:")); /* it is short */
    add_header_take(hook, must_printf("webhook-id: %s", text));
    add_header_take(hook, must_printf("webhook-timestamp: %" PRId64, now));
    add_header_take(hook,
                    must_printf("webhook-signature: %s", buf_text(&signature)));
}

/* What the receiver says is none of our business, and bounded. */
static size_t pass_over(char *data, size_t size, size_t n, void *arg)
{
    struct hook *hook = arg;

    (void)data;
    hook->answered += size * n;
    return hook->answered <= ANSWER_MAX ? size * n : 0;
}

static long milliseconds(const struct hook *hook, const char *key)
{
    return (long)config_int(hook->config, "webhook", key) * 1000;
}

static void set_server(struct hook *hook, CURL *easy,
                       const struct hook_keys *keys)
{
    const char *ca = config_text(hook->config, "webhook", "ca_file");

    (void)curl_easy_setopt(easy, CURLOPT_URL, hook_url(keys));
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (ca != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           milliseconds(hook, "connect_timeout"));
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                           milliseconds(hook, "timeout"));
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void hook_begin(struct hook *hook, const struct id *id, const struct buf *bytes)
{
    struct hook_keys *keys = read_keys(hook, &hook->failed);

    hook->answered = 0;
    hook->trouble[0] = '\0';
    if (keys == NULL) {
        return;
    }
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        abort();
    }
    add_headers(hook, keys, id, bytes);
    set_server(hook, easy, keys);
    hook_keys_free(keys);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, hook->trouble);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, hook);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, hook->headers);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes->data);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                           (curl_off_t)bytes->len);
    wire_begin_take(hook->wire, &hook->flight, easy);
}

enum post_verdict hook_verdict_of(long status, bool *ret_away)
{
    *ret_away = status == 0 || status == 429 || status >= 500;
    return status >= 200 && status < 300 ? POST_SENT
           : status == 410               ? POST_REFUSED
                                         : POST_LATER;
}

/* Its status counts where all that came of it was too long. */
static long status_of(const struct hook *hook, CURLcode result)
{
    long status = 0;

    if (result == CURLE_OK || hook->answered > ANSWER_MAX) {
        (void)curl_easy_getinfo(hook->flight.easy, CURLINFO_RESPONSE_CODE,
                                &status);
    }
    return status;
}

static void say_why(struct hook *hook, CURLcode result, long status,
                    struct err *reason)
{
    if (status != 0) {
        (void)err_set(reason, ERR_RETRY, "the receiver answered %ld%s", status,
                      status >= 300 && status < 400
                          ? "; redirects are not followed"
                          : "");
    } else {
        (void)err_set(reason, ERR_RETRY, "%s",
                      hook->trouble[0] != '\0' ? hook->trouble
                                               : curl_easy_strerror(result));
    }
}

enum post_verdict hook_step(struct hook *hook, bool *ret_away,
                            struct err *reason)
{
    if (hook->failed.kind != ERR_NONE) {
        *reason = hook->failed;
        *ret_away = true;
        hook_abort(hook);
        return POST_LATER;
    }
    CURLcode result = wire_step(hook->wire, &hook->flight);
    if (result == CURLE_AGAIN) {
        return POST_GOING;
    }
    long status = status_of(hook, result);
    say_why(hook, result, status, reason);
    hook_abort(hook);
    return hook_verdict_of(status, ret_away);
}
