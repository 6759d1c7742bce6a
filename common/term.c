#include "common/term.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUIET_SECONDS 10.0

bool hp_term_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && !(no_colour && no_colour[0]) &&
           !(term && strcmp(term, "dumb") == 0);
}

const char *hp_colour(FILE *stream, enum hp_colour colour)
{
    static const char *const escapes[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                          "\033[31m", "\033[32m", "\033[33m"};
    return hp_term_colour(stream) ? escapes[colour] : "";
}

static int width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col : 80;
}

void hp_progress(const char *format, ...)
{
    static char shown[512];
    static double last;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%.*s", width() - 1, text);
        fflush(stderr);
        return;
    }
    double now = hp_monotonic_s();
    if (text[0] == '\0' || strcmp(text, shown) == 0 || (last > 0 && now - last < QUIET_SECONDS))
        return;
    last = now;
    memcpy(shown, text, sizeof shown);
    fprintf(stderr, "%s\n", text);
}
