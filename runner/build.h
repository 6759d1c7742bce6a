/*
 * One build: an archive and a recipe become artifacts in a folder, from the cache or in the
 * sandbox. What the build prints, makes or leaves behind cannot reach past the sandbox; only the
 * files that the recipe names come out, as bytes.
 */
#ifndef RN_BUILD_H
#define RN_BUILD_H

#include "common/hash.h"
#include "runner/layouts.h"
#include "runner/sandbox.h"

struct rn_built {
    bool made;                        /* false: it was not tried or failed; only log is set */
    char artifact_hash[HP_HASH_TEXT]; /* of all artifacts as they are */
    char code_hash[HP_HASH_TEXT];     /* without symbols, debug data and build id */
    char compiler[512];               /* as the first artifact says; "" unknown */
    double seconds;                   /* of the build, also if it came from the cache */
    bool cached;
    json_t *log; /* JSON string or null */
    /* Code layouts made, beside the artifacts in folders RN_LAYOUT_FOLDER: RN_LAYOUTS or none. */
    unsigned layouts;
    char no_layouts[512]; /* why there are none though the recipe asks for them */
    bool layouts_late;    /* they took too long, which another time they may not: not cached */
};

void rn_built_clear(struct rn_built *built);

/* Asks the compiler and linker of this machine what they are: part of every cache key. The caller
 * owns the text; NULL without memory. */
char *rn_toolchain(void);

/*
 * Builds `archive` by `recipe` into the folder work/`into`. `arm` names it in failures.
 * True: `out` is filled. False with *failure set (owned by the caller) if the foreign code is to
 * blame; false with *failure NULL and `err` filled if this machine is, or if it was cancelled.
 */
bool rn_build(const struct rn_room *room, const struct rn_limits *limits, const char *toolchain,
              const char *arm, int archive, const json_t *recipe, const char *into,
              struct rn_built *out, json_t **failure, struct hp_error *err);

#endif
