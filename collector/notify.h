/* systemd's readiness protocol: one datagram to the socket that $NOTIFY_SOCKET names. */
#ifndef HP_COLLECTOR_NOTIFY_H
#define HP_COLLECTOR_NOTIFY_H

/* Sends "READY=1", "STOPPING=1", …; does nothing where nobody asked for it. */
void notify(const char *state);

#endif
