/* wire.c: see wire.h. */
#include "consumer/notifier/wire.h"

#include <stdlib.h>

#include "base/err.h"

#define FDS_MAX 8

struct wire {
    CURLM *multi;
};

struct wire *wire_new(void)
{
    struct wire *wire = must_calloc(1, sizeof(*wire));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (wire->multi = curl_multi_init()) == NULL) {
        abort();
    }
    return wire;
}

void wire_free(struct wire *wire)
{
    if (wire != NULL) {
        (void)curl_multi_cleanup(wire->multi);
        curl_global_cleanup();
        free(wire);
    }
}

void wire_begin_take(struct wire *wire, struct flight *flight, CURL *easy)
{
    *flight = (struct flight){.easy = easy, .result = CURLE_AGAIN};
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
    (void)curl_multi_add_handle(wire->multi, easy);
}

/* Each end is told once, to whoever asks: it is noted with its flight. */
static void take_ends(struct wire *wire)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(wire->multi, &left)) != NULL) {
        struct flight *flight = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                (char **)&flight);
        if (message->msg == CURLMSG_DONE && flight != NULL) {
            flight->result = message->data.result;
        }
    }
}

CURLcode wire_step(struct wire *wire, const struct flight *flight)
{
    int going = 0;

    if (flight->easy == NULL) {
        return CURLE_AGAIN;
    }
    (void)curl_multi_perform(wire->multi, &going);
    take_ends(wire);
    return flight->result;
}

void wire_end(struct wire *wire, struct flight *flight)
{
    if (flight->easy != NULL) {
        (void)curl_multi_remove_handle(wire->multi, flight->easy);
        curl_easy_cleanup(flight->easy);
        *flight = (struct flight){.easy = NULL};
    }
}

void wire_wait(struct wire *wire, const int *fds, size_t n, int timeout_ms)
{
    struct curl_waitfd all[FDS_MAX] = {{.fd = -1}};

    if (n > FDS_MAX) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
    }
    (void)curl_multi_poll(wire->multi, all, (unsigned)n, timeout_ms, NULL);
}
