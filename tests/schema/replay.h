/*
 * A history to ask questions about: sixteen commits of an allocator over seven weeks, each with the
 * result document that a runner would have delivered, replayed through the collector's own ingest.
 * The documents are the golden example with other figures; verdicts are computed, not written down.
 * Times and numbers are the same at every replay.
 */
#ifndef HP_TESTS_REPLAY_H
#define HP_TESTS_REPLAY_H

/* Fills the test's own database; fails the test where something is refused. */
void replay_history(void);

#endif
