#include "common/cleanup.h"
#include "runner/folded.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

void fuzz_folded(const uint8_t *data, size_t size)
{
    const size_t room = 512;
    RN_PROFILE struct rn_profile profile = {0};
    uint64_t samples = 0;
    if (!rn_folded_read((const char *)data, size, "bench", room, &profile))
        return;
    for (const char *line = profile.folded; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *blank = end;
        if (!end)
            abort(); /* whole lines only */
        while (blank > line && *blank != ' ')
            blank--;
        if (blank == line)
            abort(); /* a stack before the number */
        samples += strtoull(blank, NULL, 10);
    }
    if (samples != profile.samples || strlen(profile.folded) > room ||
        profile.kernel > profile.samples + profile.left_out)
        abort(); /* the lines hold all that is said to be in them */
}
