/*
 * Code layouts: the same objects linked again and again with the functions at other places, so that
 * a run averages over what placement does to speed instead of guessing it. In layout s function f
 * starts at a multiple of 64 plus rn_layout_offset(f, s), in every arm. This part is pure text:
 * from a symbol table to a fragment of a linker script, and from a linked artifact's symbol table
 * to how much of its code obeyed. Callers own everything; any thread may call.
 */
#ifndef RN_LAYOUTS_H
#define RN_LAYOUTS_H

#include "common/io.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RN_LAYOUTS 64
/* What has to be where it was asked for, by bytes of code; the rest are pieces that the linker
 * cannot move alone: start-up files, two static functions of the same name. */
#define RN_LAYOUT_SHARE 0.75
/* Folder of layout s beside an arm's artifacts: two digits, so that all paths are equally long. */
#define RN_LAYOUT_FOLDER "@%02u"

/* The functions of one artifact in the order of their addresses; names at one address (aliases)
 * follow each other in order of the alphabet, and the first stands for all. */
struct rn_function {
    uint64_t address, size;
    char *name;
};
struct rn_functions {
    struct rn_function *item;
    size_t count;
};

/* Reads what `nm -S --defined-only` prints. Functions without a size are left out: start-up files
 * and assembler. False without memory; `out` is cleared by rn_functions_clear in any case. */
bool rn_functions_parse(const char *nm, struct rn_functions *out);
void rn_functions_clear(struct rn_functions *functions);
#define RN_FUNCTIONS __attribute__((cleanup(rn_functions_clear)))

/*
 * The offset of a function in a layout: an even number from 0 to 62. It is even because C++ marks
 * pointers to virtual members in the lowest bit of a function's address. FNV-1a of the name (64
 * bits), plus (s + 1) times 0x9e3779b97f4a7c15, through the finalizer of SplitMix64; bits 1 to 5.
 */
unsigned rn_layout_offset(const char *function, unsigned layout);

/* Appends the script for `ld -T`, which adds to the linker's own script and does not replace it: an
 * output section before .text that takes each function's input section (-ffunction-sections). */
bool rn_layout_script(const struct rn_functions *functions, unsigned layout, struct hp_buffer *out);

/* The share of an artifact's code, 0 to 1, that lies where `layout` wants it; 0 without code. */
double rn_layout_share(const struct rn_functions *functions, unsigned layout);

/* The artifact that a recipe's (or plan's) `layouts` links anew; NULL where it has none. */
const char *rn_layout_artifact(const json_t *recipe);

#endif
