/*
 * A bearer token that is got somewhere and runs out: it is renewed with a fifth of its time left, and once after the vault did
 * not accept it; one attempt is under way at a time, and failed ones wait longer each time. What there was is used as long as it
 * lasts. How it is got is the matter of whoever embeds this: agent_token.c, oauth.c.
 */
#ifndef NARROWGATE_UPSTREAM_TOKEN_H
#define NARROWGATE_UPSTREAM_TOKEN_H

#include "upstream/backoff.h"
#include "upstream/vault.h"

struct token;

struct token_ops {
	/* One attempt; ends, now or later, in token_given or token_failed. */
	void (*start)(struct token *);
	/* Whether what it is made from (a key, a file) is not what the last attempt took. */
	bool (*changed)(struct token *);
	/* The vault wants more than the token can (403, RFC 6750 §3.1). True: another attempt may help. Unset: none can. */
	bool (*wants_more)(struct token *, struct slice challenge);
	void (*close)(struct token *, void (*closed)(void *ctx), void *ctx);
};

struct token {
	const struct token_ops *ops;
	struct vault *vault;        /* whose credential it is */
	const char *from;           /* for the log: "the agent's key" */
	uv_timer_t timer;           /* to the next attempt */
	struct backoff backoff;
	uint64_t got_ms, until_ms;  /* loop time; 0: there is no token */
	bool busy;                  /* an attempt is under way */
	bool hopeless;              /* no attempt will help before something changes */
};

/* The vault's credential is given from now on; the first attempt starts with the first refresh. */
void token_init(struct token *, const struct token_ops *, struct vault *, const char *from);
/* Stops the timer; the handle is still to be closed by the owner. */
void token_stop(struct token *);

/* What it is made from may have changed, or nothing is there yet. False: there is no token to call with. */
bool token_refresh(struct token *);
/* The vault said 401 or 403, with this challenge (may be empty). */
void token_rejected(struct token *, int status, struct slice challenge);

/* life_s 0: it is not known, and a default is taken. */
void token_given(struct token *, struct slice secret, uint64_t life_s);
/* Tried again after a while. `why`: static, or valid during the call. */
void token_failed(struct token *, const char *why);
/* Not tried again before something changes, or a long while has gone by: `why` says what is to be done, and is static. The token is gone. */
void token_hopeless(struct token *, const char *why);

#endif
