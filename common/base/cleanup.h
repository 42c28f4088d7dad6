/*
 * cleanup.h: locals that release what they own when they leave their scope.
 *
 * `_cleanup_(f)` names a function that takes a pointer to the local, as
 * systemd does it. `_cleanup_free_` is for malloc()ed memory, `_cleanup_close_`
 * for descriptors (a negative one is left alone). `take_ptr` hands ownership
 * on: it yields the pointer and leaves NULL behind.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

#define take_ptr(p)                 \
    ({                              \
        __typeof__(p) _taken = (p); \
        (p) = NULL;                 \
        _taken;                     \
    })

/* The same for a descriptor: yields it and leaves -1 behind. */
#define take_fd(fd)        \
    ({                     \
        int _taken = (fd); \
        (fd) = -1;         \
        _taken;            \
    })
