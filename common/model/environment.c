/* environment.c: see environment.h. */
#include "model/environment.h"

#include "model/parameter.h"

static void set(struct list *environment, const char *name, const char *value)
{
    _cleanup_free_ char *text = must_printf("%s=%s", name, value);

    texts_add(environment, text);
}

static void set_values(struct list *environment, const struct list *values)
{
    for (size_t i = 0; i < values->n; i++) {
        const struct pair *value = &list_at(values, struct pair, i);
        _cleanup_free_ char *name = parameter_variable(value->name);
        set(environment, name, value->value);
    }
}

void environment_make(const struct surroundings *at, const struct list *values,
                      struct list *ret_environment)
{
    struct list *all = ret_environment;
    _cleanup_free_ char *attempt = must_printf("%lld", (long long)at->attempt);

    set(all, "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
        "/sbin:/bin");
    set(all, "LANG", "C.UTF-8");
    set(all, "HOME", at->home);
    set(all, "TMPDIR", at->home);
    set(all, "ERRAND_RUN_ID", at->run);
    set(all, "ERRAND_EXECUTION_ID", at->execution);
    set(all, "ERRAND_COMMAND", at->command);
    set(all, "ERRAND_TARGET", at->target);
    set(all, "ERRAND_ATTEMPT", attempt);
    set_values(all, values);
}
