#include "cli/hook.h"

#include "common/cleanup.h"
#include "common/embedded.h"
#include "common/io.h"

#include <string.h>

extern const struct hp_embedded hook_data[];

char *cli_shell_word(const char *text)
{
    HP_BUFFER struct hp_buffer out = {0};
    bool ok = hp_buffer_append(&out, "'", 1);
    for (; ok && *text; text++)
        ok = *text == '\'' ? hp_buffer_append(&out, "'\\''", 4) : hp_buffer_append(&out, text, 1);
    return ok && hp_buffer_append(&out, "'", 1) ? hp_take(out.data) : NULL;
}

static char *words(const char *const *options)
{
    HP_BUFFER struct hp_buffer out = {0};
    for (; *options; options++) {
        HP_FREE char *word = cli_shell_word(*options);
        if (!word || !hp_buffer_printf(&out, "%s%s", out.size ? " " : "", word))
            return NULL;
    }
    return strdup(hp_buffer_text(&out));
}

/* Appends `text`, with the first `mark` in it replaced. */
static bool fill(struct hp_buffer *out, const char **text, const char *mark, const char *value)
{
    const char *at = strstr(*text, mark);
    if (!at || !hp_buffer_append(out, *text, (size_t)(at - *text)))
        return false;
    *text = at + strlen(mark);
    return hp_buffer_append(out, value, strlen(value));
}

char *cli_hook_text(const char *program, const char *const *options)
{
    const struct hp_embedded *file = hp_embedded_find(hook_data, "post-receive");
    HP_FREE char *quoted = cli_shell_word(program);
    HP_FREE char *list = words(options);
    HP_BUFFER struct hp_buffer out = {0};
    if (!file || !quoted || !list)
        return NULL;
    const char *rest = file->data;
    if (!fill(&out, &rest, "@HAKPERF@", quoted) || !fill(&out, &rest, "@OPTIONS@", list) ||
        !hp_buffer_append(&out, rest, strlen(rest)))
        return NULL;
    return hp_take(out.data);
}

bool cli_hook_is_ours(const char *text)
{
    const char *second = strchr(text, '\n');
    return second && strncmp(second + 1, "# hakperf post-receive hook", 27) == 0;
}
