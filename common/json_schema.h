/*
 * Checks a document against a JSON Schema, so that the published schema is the one place where a
 * document's shape is written down. The part of draft 2020-12 that our schemas use: type, const,
 * enum, anyOf, $ref into #/$defs, required, properties, additionalProperties, maxProperties,
 * items, minItems, maxItems, minLength, maxLength, pattern (POSIX extended, anchored alike in
 * both dialects), minimum, maximum, exclusiveMinimum. A schema with any other keyword is refused
 * as a defect, so that no rule is ever silently skipped. An integer is a number written without
 * fraction or exponent: 1.0 is none, stricter than the draft.
 */
#ifndef HP_COMMON_JSON_SCHEMA_H
#define HP_COMMON_JSON_SCHEMA_H

#include "common/error.h"

/* True if `document` obeys `schema`. Otherwise HP_INVALID with what is wrong and its place in
 * err->path as a JSON pointer. HP_INTERNAL where the schema itself is not understood. */
bool hp_schema_check(const json_t *schema, const json_t *document, struct hp_error *err);

/* Appends an error body for each place where `document` breaks `schema`, in the order of the
 * document; of an anyOf the one that its best choice gives. False only with HP_INTERNAL, as above.
 */
bool hp_schema_check_all(const json_t *schema, const json_t *document, json_t *mistakes,
                         struct hp_error *err);

#endif
