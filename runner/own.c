#include "runner/own.h"

#include "common/json.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_own(const char *address)
{
    static const char scheme[] = "file://";
    struct stat st;
    if (strncmp(address, scheme, sizeof scheme - 1) == 0)
        address += sizeof scheme - 1;
    return stat(address, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           !(st.st_mode & S_IWOTH);
}

bool rn_check_own(const json_t *suite, const char *repository, struct hp_error *err)
{
    const char *url = hp_json_string(json_object_get(suite, "repository"), "url", "");
    const char *all[] = {
        repository ? repository : url,
        hp_json_string(json_object_get(suite, "driver"), "repository", NULL),
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!all[i] || is_own(all[i]))
            continue;
        hp_fail(err, HP_INVALID,
                "%.300s is not a repository of this runner's own user, and without a sandbox "
                "nothing else is built",
                all[i]);
        return hp_error_hint(err, "Let it use a sandbox (--sandbox bwrap), or run it as the user "
                                  "whose folder on this machine the repository is.");
    }
    return true;
}
