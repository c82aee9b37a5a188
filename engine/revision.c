#include "engine/revision.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

#define WORDS_MAX 8 /* of a command of git, and NULL */
#define LINE_BYTES_MAX 8192
#define COMPLAINT_BYTES_MAX 400

extern char **environ;

/* -- git ----------------------------------------------------------------------------------------
 */

/* Without a shell; signals reach it, which this process waits for in a thread of its own. */
static bool spawn(const char *const *words, int out, int complaints, pid_t *child, struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    int number =
        posix_spawnp(child, words[0], &actions, &attributes, (char *const *)words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number == 0 || ERR(err, ERR_INPUT, "git can't be run: %s", strerror(number));
}

/* Up to its end, or until the buf is full. */
static bool drain(int fd, struct buf *out, struct err *err)
{
    char bytes[4096];
    ssize_t count = 1;
    while (!out->overflowed && (count > 0 || (count < 0 && errno == EINTR))) {
        count = read(fd, bytes, sizeof(bytes));
        if (count > 0)
            buf_add(out, bytes, (size_t)count);
    }
    return count >= 0 || file_error(err, errno, "listening to git");
}

/* The first line of what git complained of, without the word that each begins with. */
static bool complain(int complaints, struct err *err)
{
    char text[COMPLAINT_BYTES_MAX + 1];
    ssize_t count = pread(complaints, text, COMPLAINT_BYTES_MAX, 0);
    text[count > 0 ? count : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    str_tame(text);
    const char *fatal = "fatal: ";
    return ERR(err, ERR_INPUT, "git: %s", str_starts(text, fatal) ? text + strlen(fatal) : text);
}

static bool wait_for(pid_t child, int complaints, struct err *err)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return file_error(err, errno, "waiting for git");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || complain(complaints, err);
}

/* All that a command prints.  ERR_INPUT with git's own words if it fails. */
static bool run(const char *const *words, struct buf *out, struct err *err)
{
    int ends[2];
    pid_t child;
    FILE_FD complaints = memfd_create("git", MFD_CLOEXEC);
    if (complaints < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return file_error(err, errno, "talking to git");
    bool spawned = spawn(words, ends[1], complaints, &child, err);
    close(ends[1]);
    bool heard = spawned && drain(ends[0], out, err) && buf_check(out, "what git says", err);
    close(ends[0]); /* ends a git that has too much to say */
    struct err waiting;
    if (spawned && !wait_for(child, complaints, heard ? err : &waiting))
        return false;
    return heard;
}

/* The one line that a command prints. */
static bool ask(const char *const *words, struct arena *arena, const char **line, struct err *err)
{
    struct buf out;
    buf_init(&out, LINE_BYTES_MAX);
    bool done = run(words, &out, err);
    const char *text = buf_string(&out);
    *line = str_copy(arena, text, strcspn(text, "\n"));
    buf_free(&out);
    return done;
}

/* -- the revision -------------------------------------------------------------------------------
 */

static const char *folder_of(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : str_copy(arena, path, (size_t)(slash - path));
}

/* Where git is run says which repository is meant; a hook's environment tells of another place.  No
 * other thread reads the environment yet.                                                        */
static void forget_place(void)
{
    unsetenv("GIT_DIR");
    unsetenv("GIT_WORK_TREE");
    unsetenv("GIT_INDEX_FILE");
}

bool revision_find(const char *name, const char *policy_path, struct arena *arena,
                   struct revision *revision, struct err *err)
{
    forget_place();
    *revision = (struct revision){.name = name, .folder = folder_of(policy_path, arena)};
    const char *commit = str_format(arena, "%s^{commit}", name);
    const char *const top[WORDS_MAX] = {"git", "-C", revision->folder, "rev-parse",
                                        "--show-toplevel"};
    const char *const id[WORDS_MAX] = {"git",     "-C",  revision->folder, "rev-parse", "--verify",
                                       "--quiet", commit};
    if (!ask(top, arena, &revision->top, err))
        return false;
    if (!ask(id, arena, &revision->commit, err))
        return ERR(err, ERR_INPUT, "git knows no revision %s", name);
    return true;
}

/* -- its files ----------------------------------------------------------------------------------
 */

/* As git spells what is in the work tree, which may lack the file and folders above it by now. */
static const char *real_of(const char *path, struct arena *arena)
{
    struct err err;
    const char *real = "/", *slash = strrchr(path, '/');
    while (slash != path &&
           !file_real_path(str_copy(arena, path, (size_t)(slash - path)), arena, &real, &err))
        slash = memrchr(path, '/', (size_t)(slash - path));
    return file_join(arena, real, slash + 1);
}

/* What git calls the file: "./x" is one below the folder in which it is run.  NULL: the file is
 * outside the repository.                                                                        */
static const char *object_of(const struct revision *revision, const char *path, struct arena *arena)
{
    const char *folder = str_format(arena, "%s/", revision->folder);
    const char *top = str_format(arena, "%s/", revision->top);
    if (str_starts(path, folder))
        return str_format(arena, "%s:./%s", revision->commit, path + strlen(folder));
    if (path[0] != '/')
        return str_format(arena, "%s:./%s", revision->commit, path);
    const char *real = real_of(path, arena);
    if (str_starts(real, top))
        return str_format(arena, "%s:%s", revision->commit, real + strlen(top));
    return NULL;
}

bool revision_read(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                   char **bytes, size_t *size_bytes, struct err *err)
{
    const struct revision *revision = context;
    const char *object = object_of(revision, path, arena);
    if (object == NULL)
        return file_read(path, limit_bytes, arena, bytes, size_bytes, err);

    const char *const show[WORDS_MAX] = {"git", "-C", revision->folder, "cat-file", "blob", object};
    struct buf out;
    buf_init(&out, limit_bytes);
    bool done = run(show, &out, err) &&
                (arena_has(arena, out.size + 1) || ERR(err, ERR_INPUT, "it is too large"));
    if (done) {
        *bytes = str_copy(arena, buf_string(&out), out.size);
        *size_bytes = out.size;
    }
    buf_free(&out);
    return done || err_wrap(err, "%s:%s", revision->name, path);
}
