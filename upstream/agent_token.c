#include "upstream/agent_token.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/json.h"
#include "upstream/web.h"

struct agent_token {
	struct token base;          /* first */
	struct web *web;
	struct credential key;
	char *url, *id;
	unsigned char seen[DIGEST_BYTES]; /* of the key that was exchanged last */
	unsigned n_open;
	void (*closed)(void *ctx);
	void *ctx;
};

static struct agent_token *of(struct token *t)
{
	return (struct agent_token *)(void *)t;
}

/* NULL, or what is wrong with the answer. *life_s 0: it does not say. */
static const char *read_answer(struct slice text, struct arena *arena, struct slice *token, uint64_t *life_s)
{
	struct json j;
	int64_t seconds;

	*life_s = 0;
	if (json_parse(&j, text, arena, NULL) != E_OK || !json_is(&j, 0, JSON_OBJECT))
		return "the endpoint's answer is no JSON object";
	uint32_t tok = json_member(&j, 0, SL("access_token"));
	*token = json_is(&j, tok, JSON_STRING) ? json_string(&j, tok, arena) : SL("");
	if (!token->n)
		return "the endpoint's answer has no access_token";
	tok = json_member(&j, 0, SL("expires_in"));
	if (tok == JSON_NONE || !json_int(&j, tok, &seconds))
		return NULL;
	if (seconds <= 0)
		return "the endpoint's token has run out already";
	*life_s = (uint64_t)seconds;
	return NULL;
}

static const char *failure_of(const struct web_answer *answer)
{
	if (answer->failure)
		return answer->failure;
	if (answer->status == 401 || answer->status == 403)
		return "the endpoint did not accept it";
	if (answer->status >= 300 && answer->status < 400)
		return "the endpoint answered with a redirect, which is not followed";
	return answer->status == 200 || answer->status == 201 ? NULL : "the endpoint answered with an HTTP error";
}

static void on_answer(void *ctx, const struct web_answer *answer)
{
	struct agent_token *t = ctx;
	struct slice token = SL("");
	uint64_t life_s = 0;
	struct arena arena;
	const char *why = failure_of(answer);

	arena_init(&arena, WEB_MAX_BYTES * 64);
	if (!why)
		why = read_answer(answer->body, &arena, &token, &life_s);
	if (why)
		token_failed(&t->base, why);
	else
		token_given(&t->base, token, life_s);
	arena_finish(&arena); /* wiped */
}

static void start(struct token *base)
{
	struct agent_token *t = of(base);
	struct buf body;

	if (!credential_read(&t->key)) {
		token_failed(base, t->key.fault);
		return;
	}
	digest_sha256(credential_secret(&t->key), t->seen);
	buf_init(&body, 2 * CREDENTIAL_MAX_BYTES + 4096);
	buf_add(&body, SL("{\"agent_id\":"));
	buf_add_json_string(&body, slice_of(t->id));
	buf_add(&body, SL(",\"api_key\":"));
	buf_add_json_string(&body, credential_secret(&t->key));
	buf_add_char(&body, '}');
	credential_drop(&t->key, "read anew each time");
	/* The operator named the address. */
	struct web_request r = { .url = slice_of(t->url), .body = buf_slice(&body), .content_type = "application/json", .reach = WEB_ANYWHERE };
	if (body.failed || !web_start(t->web, &r, on_answer, t))
		token_failed(base, "out of memory");
	buf_finish(&body); /* wiped */
}

static bool changed(struct token *base)
{
	struct agent_token *t = of(base);
	unsigned char now[DIGEST_BYTES];
	bool differs = credential_read(&t->key);

	if (differs) {
		digest_sha256(credential_secret(&t->key), now);
		differs = memcmp(now, t->seen, sizeof now) != 0;
	}
	credential_drop(&t->key, "read anew each time");
	return differs;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void release(struct agent_token *t)
{
	credential_finish(&t->key);
	free(t->url);
	free(t->id);
	free(t);
}

static void one_closed(void *ctx)
{
	struct agent_token *t = ctx;
	void (*closed)(void *ctx) = t->closed;
	void *closed_ctx = t->ctx;

	if (--t->n_open)
		return;
	release(t);
	closed(closed_ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(of(h->data));
}

static void close_token(struct token *base, void (*closed)(void *ctx), void *ctx)
{
	struct agent_token *t = of(base);

	t->closed = closed;
	t->ctx = ctx;
	t->n_open = 2;
	uv_close((uv_handle_t *)&base->timer, on_timer_closed);
	web_close(t->web, one_closed, t);
}

struct token *agent_token_create(struct vault *vault, const struct vault_config *conf, const char **why)
{
	static const struct token_ops ops = { .start = start, .changed = changed, .close = close_token };
	struct vault_config key = { .credential_header = SL("key"), .credential_from = conf->credential_from, .credential_name = conf->credential_name };
	struct agent_token *t = calloc(1, sizeof *t);

	*why = "out of memory";
	if (!t)
		return NULL;
	t->url = strndup(conf->token_url.p, conf->token_url.n);
	t->id = strndup(conf->token_agent_id.p, conf->token_agent_id.n);
	if (!credential_init(&t->key, &key) || !t->url || !t->id || !(t->web = web_create(vault->loop, conf, why))) {
		release(t);
		return NULL;
	}
	token_init(&t->base, &ops, vault, "the agent's key");
	return &t->base;
}
