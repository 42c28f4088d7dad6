/* child.c: see child.h. */
#include "consumer/executor/child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "consumer/executor/given_files.h"
#include "consumer/executor/opened.h"
#include "model/environment.h"

#define SCRIPT_FD 3
#define ENVIRON_MAX (1U << 20) /* of a process that we look at */

static char *private_directory(const char *directory,
                               const struct id *execution)
{
    char id[ID_TEXT];

    id_format(execution, id);
    return must_printf("%s/%s", directory, id);
}

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

/* What execve() gets; each list ends in NULL. */
struct image {
    int script;
    struct list arguments;
    struct list environment;
};

static void image_done(struct image *image)
{
    cleanup_close(&image->script);
    texts_done(&image->arguments);
    opened_wipe_texts(&image->environment);
}

/* The values are the proof's, checked once more where they are used. */
static int build_image(const struct child_plan *plan, const char *home,
                       struct image *image, struct err *err)
{
    const struct command_save *command = plan->order->command;
    struct list values = {0};

    image->script = seal_script(&command->script, err);
    if (image->script < 0 ||
        arguments_check(&command->parameters, &plan->order->run->arguments,
                        &values, err) != 0) {
        return -1;
    }
    values_place_files(&command->parameters, home, &values);
    texts_add(&image->arguments, command->name);
    argv_make(&command->args, &values, &image->arguments);
    (void)list_grow(&image->arguments, sizeof(char *));
    build_environment(plan, home, &values, &image->environment);
    pairs_done(&values);
    return 0;
}

/* In the child: nothing here may allocate or return. */
static _Noreturn void become(const struct child_plan *plan, const char *home,
                             const struct image *image, pid_t parent)
{
    const struct rlimit no_core = {1, 1}; /* 0 would not stop a pipe */
    bool secret = plan->secrets->n > 0;   /* of which nothing is dumped */
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    (void)sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) {
        (void)signal(s, SIG_DFL);
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)umask(077);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        setsid() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        chdir(home) != 0 || dup2(null, 0) < 0 || dup2(plan->out, 1) < 0 ||
        dup2(plan->err, 2) < 0 || dup2(image->script, SCRIPT_FD) < 0 ||
        close_range(SCRIPT_FD + 1, ~0U, 0) != 0 ||
        (secret && setrlimit(RLIMIT_CORE, &no_core) != 0)) {
        _exit(EXIT_CANT_EXECUTE);
    }
    /* The interpreter opens /dev/fd/3: so 3 stays open across execve(). */
    (void)execve("/dev/fd/3", image->arguments.items, image->environment.items);
    dprintf(2, "%s: can't be executed: %s\n", plan->order->command->name,
            errno == ENOENT ? "no such interpreter" : strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANT_EXECUTE);
}

/* Into the private directory, where nothing else is yet. Its name was signed;
 * it is looked at once more where it is used. */
static int put_file(int directory, const struct attachment *file,
                    struct err *err)
{
    mode_t mode = file->executable ? 0700 : 0600;

    if (!attachment_name_is_good(file->name)) {
        return err_set(err, ERR_REJECT,
                       "a file that comes with it has a folder in its name");
    }
    _cleanup_close_ int fd =
        openat(directory, file->name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    ssize_t n = fd < 0 || fchmod(fd, mode) != 0
                    ? -1
                    : write(fd, file->data.data, file->data.len);
    return n == (ssize_t)file->data.len
               ? 0
               : err_set(err, ERR_REJECT,
                         "a file that comes with it can't be put there: %s",
                         strerror(n < 0 ? errno : ENOSPC));
}

static int make_home(const struct child_plan *plan, const char *home,
                     struct err *err)
{
    const struct list *files = &plan->order->command->files;

    if (mkdir(home, 0700) != 0 && errno != EEXIST) {
        return err_set(err, ERR_REJECT, "%s: %s", home, strerror(errno));
    }
    _cleanup_close_ int fd =
        open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_REJECT, "%s: %s", home, strerror(errno));
    }
    for (size_t i = 0; i < files->n; i++) {
        if (put_file(fd, &list_at(files, struct attachment, i), err) != 0) {
            return -1;
        }
    }
    return given_files_put(fd, plan->order, err);
}

int child_start(const struct child_plan *plan, pid_t *ret_pid, struct err *err)
{
    _cleanup_free_ char *home =
        private_directory(plan->directory, &plan->execution);
    _cleanup_(image_done) struct image image = {.script = -1};

    if (build_image(plan, home, &image, err) != 0) {
        return -1;
    }
    if (make_home(plan, home, err) != 0) {
        child_clean(plan->directory, &plan->execution);
        return -1;
    }
    pid_t parent = getpid();
    bool late = clock_steady() > plan->start_by;
    pid_t pid = late ? -1 : fork();
    if (pid < 0) {
        (void)err_set(err, ERR_REJECT, "%s%s",
                      late ? "too long passed since it was claimed" : "fork: ",
                      late ? "" : strerror(errno));
        child_clean(plan->directory, &plan->execution);
        return -1;
    }
    if (pid == 0) {
        become(plan, home, &image, parent);
    }
    *ret_pid = pid;
    return 0;
}

void child_signal(pid_t pid, int signal)
{
    /* Before its setsid() the child has no group yet. */
    if (kill(-pid, signal) != 0 && errno == ESRCH) {
        (void)kill(pid, signal);
    }
}

/* True where a process's environment holds the execution's id. */
static bool bears(const char *pid, const char *variable)
{
    _cleanup_free_ char *path = must_printf("/proc/%s/environ", pid);
    _cleanup_buf_ struct buf environment = {0};
    struct err ignored = {0};

    return file_read(path, ENVIRON_MAX, &environment, &ignored) == 0 &&
           environment.len > 0 &&
           memmem(environment.data, environment.len, variable,
                  strlen(variable)) != NULL;
}

static bool is_zombie(const char *pid)
{
    _cleanup_free_ char *path = must_printf("/proc/%s/stat", pid);
    _cleanup_buf_ struct buf text = {0};
    struct err ignored = {0};

    if (file_read(path, 4096, &text, &ignored) != 0) {
        return true;
    }
    const char *end = strrchr(buf_text(&text), ')');
    return end == NULL || end[1] == '\0' || end[2] == 'Z' || end[2] == 'X';
}

int child_sweep(const struct id *execution)
{
    char id[ID_TEXT];
    DIR *proc = opendir("/proc");
    int found = 0;

    id_format(execution, id);
    _cleanup_free_ char *variable = must_printf("ERRAND_EXECUTION_ID=%s", id);
    for (struct dirent *d; proc != NULL && (d = readdir(proc)) != NULL;) {
        if (isdigit((unsigned char)d->d_name[0]) && !is_zombie(d->d_name) &&
            bears(d->d_name, variable)) {
            (void)kill((pid_t)strtol(d->d_name, NULL, 10), SIGKILL);
            found++;
        }
    }
    if (proc != NULL) {
        (void)closedir(proc);
    }
    return found;
}

bool child_gone(pid_t pid, const struct id *execution)
{
    (void)kill(-pid, SIGKILL);
    return child_sweep(execution) == 0;
}

static int remove_one(const char *path, const struct stat *about, int type,
                      struct FTW *ftw)
{
    (void)about;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void child_clean(const char *directory, const struct id *execution)
{
    _cleanup_free_ char *home = private_directory(directory, execution);

    (void)nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
