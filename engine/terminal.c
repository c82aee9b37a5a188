#include "engine/terminal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define COLUMNS_UNKNOWN 80
#define LINES_UNKNOWN 24

/* The process has one terminal, as it has one set of signals. */
static struct {
    bool has_colour[2]; /* stdout, stderr */
    pthread_mutex_t mutex;
    char block[TERMINAL_BLOCK_BYTES_MAX];
    size_t lines, columns; /* of the block, 0: there is none */
    atomic_bool resumed;
    struct termios before;
    atomic_bool silent; /* keys are not shown */
    atomic_bool ending; /* and are not hidden any more */
} terminal = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* -- what it is ----------------------------------------------------------------------------------
 */

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static bool is_dumb(void)
{
    const char *kind = getenv("TERM");
    return kind == NULL || kind[0] == '\0' || strcmp(kind, "dumb") == 0;
}

bool terminal_is(void)
{
    return isatty(STDERR_FILENO);
}

bool terminal_can_redraw(void)
{
    return terminal_is() && !is_dumb();
}

void terminal_set_colours(enum terminal_colours colours)
{
    bool wanted = !is_dumb() && !is_set("NO_COLOR");
    for (int i = 0; i < 2; i++)
        terminal.has_colour[i] =
            colours == TERMINAL_COLOURS_ALWAYS ||
            (colours == TERMINAL_COLOURS_AUTO && wanted && isatty(STDOUT_FILENO + i));
}

const char *terminal_colour(FILE *stream, enum terminal_colour colour)
{
    static const char *const codes[] = {[TERMINAL_RED] = "\x1b[31m",
                                        [TERMINAL_GREEN] = "\x1b[32m",
                                        [TERMINAL_YELLOW] = "\x1b[33m",
                                        [TERMINAL_PLAIN] = "\x1b[0m"};
    bool has = (stream == stdout && terminal.has_colour[0]) ||
               (stream == stderr && terminal.has_colour[1]);
    return has ? codes[colour] : "";
}

/* The first of them that is set decides: POSIX, Base Definitions, 8.2. */
bool terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!is_set(names[i]))
            continue;
        const char *locale = getenv(names[i]);
        return strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL;
    }
    return false;
}

void terminal_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : COLUMNS_UNKNOWN;
    *lines = size.ws_row > 0 ? size.ws_row : LINES_UNKNOWN;
    if (*columns > TERMINAL_COLUMNS_MAX)
        *columns = TERMINAL_COLUMNS_MAX;
    *lines -= *lines > 1; /* the cursor stands below the block */
}

/* -- keys ----------------------------------------------------------------------------------------
 */

/* In the background the terminal is the shell's: who sets it there is stopped. */
static bool is_in_foreground(void)
{
    pid_t group = tcgetpgrp(STDERR_FILENO);
    return group == -1 || group == getpgrp();
}

/* Again and again: a shell shows keys while the process is stopped.  Nor may an interrupt throw
 * away what was written, and with it a part of the block. */
static void silence(void)
{
    struct termios now;
    if (atomic_load(&terminal.ending) || tcgetattr(STDERR_FILENO, &now) != 0 ||
        !(now.c_lflag & ECHO))
        return;
    if (!atomic_load(&terminal.silent))
        terminal.before = now;
    atomic_store(&terminal.silent, true); /* first: a crash in between is put right */
    now.c_lflag = (now.c_lflag & ~(tcflag_t)ECHO) | NOFLSH;
    tcsetattr(STDERR_FILENO, TCSANOW, &now);
}

static void show_keys(void)
{
    if (atomic_exchange(&terminal.silent, false) && is_in_foreground())
        tcsetattr(STDERR_FILENO, TCSANOW, &terminal.before);
}

void terminal_restore(void)
{
    atomic_store(&terminal.ending, true);
    show_keys();
}

void terminal_forget_keys(void)
{
    tcflush(STDIN_FILENO, TCIFLUSH);
}

/* -- the block -----------------------------------------------------------------------------------
 */

/* In one piece, so that nothing gets between. */
static void put(const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t size = write(STDERR_FILENO, bytes, size_bytes);
        if (size <= 0)
            return; /* nobody can be told */
        bytes += size;
        size_bytes -= (size_t)size;
    }
}

/* A screen that is another one keeps what it has. */
static size_t lines_to_replace(void)
{
    if (atomic_exchange(&terminal.resumed, false))
        terminal.lines = 0;
    return terminal.lines;
}

static void draw(void)
{
    char bytes[TERMINAL_BLOCK_BYTES_MAX + 64 + 8 * TERMINAL_COLUMNS_MAX];
    size_t lines = lines_to_replace(), size = 0;
    if (lines > 0)
        size += (size_t)snprintf(bytes, 32, "\r\x1b[%zuA", lines);
    for (const char *line = terminal.block; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        if (size + length + 16 > sizeof(bytes))
            break;
        memcpy(bytes + size, "\x1b[K", 3);
        memcpy(bytes + size + 3, line, length);
        size += length + 3;
        line += length;
    }
    memcpy(bytes + size, "\x1b[J", 3);
    put(bytes, size + 3);
}

static void erase(void)
{
    char bytes[32];
    size_t lines = lines_to_replace();
    if (lines > 0)
        put(bytes, (size_t)snprintf(bytes, sizeof(bytes), "\r\x1b[%zuA\x1b[J", lines));
}

void terminal_hold(void)
{
    pthread_mutex_lock(&terminal.mutex);
    erase();
}

void terminal_let_go(void)
{
    size_t columns, lines;
    if (terminal.lines > 0) {
        size_t standing = terminal.lines;
        fflush(stdout);
        terminal_size(&columns, &lines);
        terminal.lines = 0; /* it was erased */
        if (columns == terminal.columns) {
            draw();
            terminal.lines = standing;
        }
    }
    pthread_mutex_unlock(&terminal.mutex);
}

void terminal_draw(const char *block, size_t lines, size_t columns)
{
    pthread_mutex_lock(&terminal.mutex);
    if (is_in_foreground()) {
        silence();
        snprintf(terminal.block, sizeof(terminal.block), "%s", block);
        draw();
        terminal.lines = lines;
        terminal.columns = columns;
    }
    pthread_mutex_unlock(&terminal.mutex);
}

void terminal_clear(void)
{
    pthread_mutex_lock(&terminal.mutex);
    erase();
    terminal.lines = 0;
    show_keys();
    pthread_mutex_unlock(&terminal.mutex);
}

void terminal_fresh_line(void)
{
    if (terminal_is() && !atomic_load(&terminal.silent))
        fputc('\n', stderr);
}

void terminal_resumed(void)
{
    atomic_store(&terminal.resumed, true);
}

/* -- a crash -------------------------------------------------------------------------------------
 */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))
static struct sigaction before[CRASHES];

/* Whoever would have had the signal has it then. */
static void crash(int number)
{
    terminal_restore();
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == number)
            sigaction(number, &before[i], NULL);
    raise(number);
}

void terminal_guard(void)
{
    struct sigaction action = {.sa_handler = crash, .sa_flags = SA_NODEFER};
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &before[i]);
}
