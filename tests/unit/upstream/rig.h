/*
 * A loop with one vault and one conversation on it, and ears for its calls. It checks the rules of upstream.h by
 * itself: no callback from inside a start, none after the end or a cancel, one end per call, and no handle left on
 * the loop.
 */
#ifndef NARROWGATE_TESTS_UPSTREAM_RIG_H
#define NARROWGATE_TESTS_UPSTREAM_RIG_H

#include "tests/unit/check.h"
#include "base/buf.h"
#include "upstream/upstream.h"

struct rig {
	uv_loop_t loop;
	uv_timer_t patience;
	struct vault *vault;
	struct upstream *up;
	struct buf told;         /* messages of the conversation, in brackets */
	int lost;
	struct upstream_end lost_how;
	int *ends_at_loss;       /* where to read how many calls had ended when it was lost */
	bool inside;             /* a start is on the stack */
	bool out_of_patience, closed, probed;
	struct upstream_end probe_end;
	int live;                /* calls begun and neither ended nor cancelled */
	int live_at_loss;
};

enum ear_habit { EAR_LISTENS, EAR_PAUSES, EAR_CANCELS, EAR_CLOSES, EAR_SENDS_AGAIN };

/* Hears one call. */
struct ear {
	struct rig *rig;
	struct upstream_call *call;
	enum ear_habit habit;    /* what it does at each message */
	struct buf seen;         /* `stream;` and messages in brackets */
	size_t bytes;            /* of messages */
	bool keeps_bytes_only;
	int messages, ends;
	bool over;               /* ended or cancelled: nothing may come any more */
	struct upstream_end end;
	struct ear *again;       /* EAR_SENDS_AGAIN: the next call's ear */
};

/* Opens everything; with `url` NULL the command in `conf` is used. */
void rig_open(struct rig *, const struct vault_config *conf);
/* A configuration for the fake at that port. */
struct vault_config rig_config(int port, char url[64]);
/* Closes what is open, waits for the handles, checks that none is left. */
void rig_close(struct rig *);

struct ear *rig_send(struct rig *, const char *body, const char *id);
struct ear *rig_send_request(struct rig *, const struct upstream_request *);
struct ear *rig_listen(struct rig *);
/* Runs the loop until the call has ended, or has had so many messages. */
void rig_wait_end(struct ear *);
void rig_wait_messages(struct ear *, int n);
void rig_wait_lost(struct rig *);
/* Runs the loop for a while. */
void rig_turn(struct rig *, uint64_t ms);
void rig_cancel(struct ear *);
/* Probes and waits. */
enum upstream_outcome rig_probe(struct rig *);
/* Begins to probe, and closes everything at once: nobody may be told. */
void rig_close_probing(struct rig *);
void ear_free(struct ear *);
/* Waits for the end, compares, frees. */
void ear_expect(struct ear *, enum upstream_outcome, int status, const char *seen);

#endif
