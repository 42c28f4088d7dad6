/* child.c: see child.h. */
#include "consumer/executor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/cgroup.h"
#include "consumer/executor/opened.h"
#include "consumer/executor/private_dir.h"
#include "consumer/executor/rlimits.h"
#include "model/environment.h"

#define SCRIPT_FD 3
#define SCRIPT_PATH "/dev/fd/3"
#define CLEAN_PATIENCE 20000 /* ms: so long its outcome may wait for that */
#define UNMADE_PATIENCE 1000 /* ms: all others wait */

/* The script's bytes in memory, where nobody can change them any more. */
static int seal_script(const struct buf *script, struct err *err)
{
    _cleanup_close_ int fd =
        memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || fchmod(fd, 0555) != 0 ||
        write(fd, script->data, script->len) != (ssize_t)script->len ||
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return err_set(err, ERR_REJECT, "keep the script in memory: %s",
                       strerror(errno));
    }
    return take_fd(fd);
}

/* What execve() gets; each list ends in NULL. */
struct image {
    int script;
    struct list arguments;
    struct list environment;
};

static void image_done(struct image *image)
{
    cleanup_close(&image->script);
    image->script = -1;
    texts_done(&image->arguments);
    opened_wipe_texts(&image->environment);
}

/* What a keeper, and the child that it makes, are given. */
struct making {
    const struct child_plan *plan;
    const struct account *account;
    const char *home;
    struct interpreter interpreter;
    struct image image;
    int group;
    unsigned held; /* limits that the group has */
    pid_t spawner;
};

/* The list ends in NULL, for execve(). */
static void build_environment(const struct child_plan *plan, const char *home,
                              const struct list *values,
                              struct list *ret_environment)
{
    char run[ID_TEXT];
    char execution[ID_TEXT];

    id_format(&plan->order->run->request.head.id, run);
    id_format(&plan->execution, execution);
    environment_make(
        &(struct surroundings){.home = home,
                               .run = run,
                               .execution = execution,
                               .command = plan->order->command->name,
                               .target = plan->target,
                               .attempt = plan->attempt},
        values, ret_environment);
    opened_add_environment(plan->secrets, ret_environment);
    (void)list_grow(ret_environment, sizeof(char *));
}

/* As the kernel does it for a script: the interpreter, its argument where the
 * first line has one, and where the script is. */
static void add_program(const struct interpreter *interpreter,
                        struct list *arguments)
{
    texts_add(arguments, interpreter->path);
    if (interpreter->argument[0] != '\0') {
        texts_add(arguments, interpreter->argument);
    }
    texts_add(arguments, SCRIPT_PATH);
}

/* The values are the proof's, checked once more where they are used. */
static int build_image(struct making *making, struct err *err)
{
    const struct child_plan *plan = making->plan;
    const struct command_save *command = plan->order->command;
    struct image *image = &making->image;
    struct list values = {0};

    image->script = seal_script(&command->script, err);
    if (image->script < 0 ||
        arguments_check(&command->parameters, &plan->order->run->arguments,
                        &values, err) != 0) {
        return -1;
    }
    add_program(&making->interpreter, &image->arguments);
    values_place_files(&command->parameters, making->home, &values);
    argv_make(&command->args, &values, &image->arguments);
    (void)list_grow(&image->arguments, sizeof(char *));
    build_environment(plan, making->home, &values, &image->environment);
    pairs_done(&values);
    return 0;
}

/* Their cause, which the child's standard error tells. NULL: all went well. In
 * the child nothing may allocate. */

static const char *reset_signals(void)
{
    sigset_t none;

    /* As the kernel takes it: the C library keeps 32 and 33 to itself. */
    static const unsigned long by_default[4];

    (void)sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) {
        (void)syscall(SYS_rt_sigaction, s, by_default, NULL, 8);
    }
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0 ? NULL : "its signals";
}

/* Who started us may have left keys in the kernel for us: an administrator's
 * own, unlocked, are there (keyrings(7)). Where that is refused, so is all that
 * could reach them. */
static bool leave_keys(void)
{
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
           errno == ENOSYS || errno == EPERM;
}

static const char *take_place(const struct making *making)
{
    const struct child_plan *plan = making->plan;
    int null = open("/dev/null", O_RDONLY);

    (void)umask(077);
    if (making->group >= 0 && !cgroup_join(making->group)) {
        return "its group of the kernel's";
    }
    return setsid() < 0 || chdir(making->home) != 0 || dup2(null, 0) < 0 ||
                   dup2(plan->out, 1) < 0 || dup2(plan->err, 2) < 0 ||
                   dup2(making->image.script, SCRIPT_FD) < 0 ||
                   close_range(SCRIPT_FD + 1, ~0U, 0) != 0
               ? "its place"
               : NULL;
}

/* To become another clears what asks to die with the keeper: so that is asked
 * for after it. */
static const char *become(const struct making *making, pid_t keeper)
{
    const char *wrong = NULL;

    if (making->plan->permitted->root) {
        wrong = leave_keys() ? account_become(making->account) : "its keys";
    }
    if (wrong != NULL) {
        return wrong;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                   prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper
               ? "its privileges"
               : NULL;
}

/* Runs in the child. */
static void run(const void *arg, pid_t keeper)
{
    const struct making *making = arg;
    const struct command_save *command = making->plan->order->command;
    const char *wrong = reset_signals();

    wrong = wrong == NULL ? take_place(making) : wrong;
    wrong = wrong == NULL ? rlimits_set(command, making->held) : wrong;
    wrong = wrong == NULL ? become(making, keeper) : wrong;
    if (wrong != NULL) {
        dprintf(2, "%s: can't be executed: %s: %s\n", command->name, wrong,
                strerror(errno));
        _exit(EXIT_CANT_EXECUTE);
    }
    /* The interpreter opens /dev/fd/3: so 3 stays open across execve(). */
    (void)execve(making->interpreter.path, making->image.arguments.items,
                 making->image.environment.items);
    dprintf(2, "%s: can't be executed: %s\n", command->name,
            errno == ENOENT ? "no such interpreter" : strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANT_EXECUTE);
}

/* Runs in the keeper, once nothing is alive any more. */
static void clean(const void *arg)
{
    const struct making *making = arg;

    private_remove(making->home, CLEAN_PATIENCE);
    (void)cgroup_end(making->plan->cgroups, &making->plan->execution);
}

/* Looked at when everything else is done. */
static int check_clocks(const struct child_plan *plan, struct err *err)
{
    if (clock_steady() > plan->start_by) {
        return err_set(err, ERR_REJECT, "too long passed since it was claimed");
    }
    return clock_now() > plan->expires
               ? err_set(err, ERR_REJECT, "it expired before it was started")
               : 0;
}

/* Runs in the keeper, once the child has it. What is no secret stays: its pages
 * are shared with the spawner, and to free it would copy them. */
static void leave(void *arg)
{
    struct making *making = arg;
    const struct child_plan *plan = making->plan;

    cleanup_close(&making->image.script);
    if (plan->secrets->n > 0) {
        opened_wipe_texts(&making->image.environment);
        secrets_wipe(plan->secrets);
    }
    key_pair_forget_box(plan->keys);
    (void)close(plan->out);
    (void)close(plan->err);
    (void)close(plan->link);
}

static _Noreturn void keep(struct making *making, int report)
{
    const struct child_plan *plan = making->plan;

    keeper_keep(&(struct keeping){.parent = making->spawner,
                                  .timeout_at = plan->timeout_at,
                                  .report = report,
                                  .group = making->group,
                                  .run = run,
                                  .leave = leave,
                                  .clean = clean,
                                  .child = making});
}

/* Returns in the spawner alone. */
static int fork_keeper(struct making *making, pid_t *ret_keeper,
                       int *ret_report, struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return err_set(err, ERR_REJECT, "pipe: %s", strerror(errno));
    }
    _cleanup_close_ int report = ends[0];
    _cleanup_close_ int told = ends[1];
    if (check_clocks(making->plan, err) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        keep(making, told);
    }
    if (pid < 0) {
        return err_set(err, ERR_REJECT, "fork: %s", strerror(errno));
    }
    *ret_keeper = pid;
    *ret_report = take_fd(report);
    return 0;
}

/* So that it opens them by name, too, as /dev/stderr. */
static int give_output(const struct making *making, struct err *err)
{
    const struct child_plan *plan = making->plan;
    const struct account *whose =
        plan->permitted->root ? making->account : NULL;

    return account_give(whose, plan->out) && account_give(whose, plan->err)
               ? 0
               : err_set(err, ERR_REJECT, "give it its output: %s",
                         strerror(errno));
}

static int make(struct making *making, pid_t *ret_keeper, int *ret_report,
                struct err *err)
{
    const struct child_plan *plan = making->plan;
    const struct command_save *command = plan->order->command;

    if (permitted_account(plan->permitted, command->run_as, &making->account,
                          err) != 0 ||
        permitted_interpreter(plan->permitted, &command->script,
                              &making->interpreter, err) != 0 ||
        build_image(making, err) != 0 ||
        private_make(making->home, plan->order,
                     plan->permitted->root ? making->account : NULL,
                     err) != 0) {
        return -1;
    }
    making->group = cgroup_make(plan->cgroups, &plan->execution);
    /* What is of our own user could take itself out of its group. */
    making->held =
        plan->permitted->root ? rlimits_in_group(making->group, command) : 0;
    if (give_output(making, err) != 0 ||
        fork_keeper(making, ret_keeper, ret_report, err) != 0) {
        child_clean(plan->directory, plan->cgroups, &plan->execution,
                    UNMADE_PATIENCE);
        return -1;
    }
    return 0;
}

int child_start(const struct child_plan *plan, pid_t *ret_keeper,
                int *ret_report, struct err *err)
{
    _cleanup_free_ char *home = private_path(plan->directory, &plan->execution);
    struct making making = {.plan = plan,
                            .home = home,
                            .image = {.script = -1},
                            .group = -1,
                            .spawner = getpid()};

    int done = make(&making, ret_keeper, ret_report, err);
    cleanup_close(&making.group);
    image_done(&making.image);
    return done;
}

void child_clean(const char *directory, const char *cgroups,
                 const struct id *execution, int64_t patience)
{
    _cleanup_free_ char *home = private_path(directory, execution);

    private_remove(home, patience);
    (void)cgroup_end(cgroups, execution);
    if (file_exists(home)) {
        dprintf(2,
                "level=warning service=spawner msg=\"%s can't be removed: the "
                "next start tries again\"\n",
                home);
    }
}
