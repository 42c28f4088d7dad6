/* qr.c: see qr.h. */
#include "producer/submit/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"

#define QUIET 2                                 /* modules around it */
#define BLACK_ON_WHITE "\x1b[38;5;16;48;5;231m" /* no theme changes these */
#define PLAIN "\x1b[0m"

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

/* `ink`: whether dark modules are the ones that are drawn. */
static const char *cell(const QRcode *code, int x, int y, bool ink)
{
    bool above = is_dark(code, x, y) == ink;
    bool below = is_dark(code, x, y + 1) == ink;

    return above ? (below ? "\u2588" : "\u2580") : (below ? "\u2584" : " ");
}

static int add_row(const QRcode *code, int y, bool colour, struct buf *out)
{
    int failed = buf_adds(out, colour ? BLACK_ON_WHITE : "");

    for (int x = -QUIET; x < code->width + QUIET; x++) {
        failed |= buf_adds(out, cell(code, x, y, colour));
    }
    return failed | buf_adds(out, colour ? PLAIN "\n" : "\n");
}

char *qr_render(const char *text, bool colour, struct err *err)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    struct buf out = {0};
    int failed = 0;

    if (code == NULL) {
        (void)err_set(err, ERR_REJECT, "no QR code can hold it: %s",
                      strerror(errno));
        return NULL;
    }
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        failed |= add_row(code, y, colour, &out);
    }
    sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
    QRcode_free(code);
    if (failed) {
        buf_done(&out);
        (void)err_set(err, ERR_RETRY, "out of memory");
        return NULL;
    }
    return buf_take(&out);
}

void qr_wipe(char *code)
{
    if (code != NULL) {
        sodium_memzero(code, strlen(code));
        free(code);
    }
}
