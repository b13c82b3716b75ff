#include "upstream/agent_token.h"

#include <stdlib.h>
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/wipe.h"
#include "upstream/backoff.h"

#define MAX_ANSWER_BYTES (64u * 1024)
#define LIMIT_MS 10000
#define DEFAULT_LIFE_S 900      /* where the endpoint does not say */
#define MAX_LIFE_S (24 * 3600)
#define AGAIN_MS 10000          /* a token that is refused so soon after it was given will not get better */

struct agent_token {
	struct vault *vault;        /* whose credential it is */
	struct vault *endpoint;     /* where tokens come from */
	struct upstream *talk;
	struct upstream_call *call; /* an exchange under way */
	struct credential key;
	char *id;
	uv_timer_t timer;           /* to the next exchange */
	struct backoff backoff;
	unsigned char seen[DIGEST_BYTES]; /* of the key that was exchanged last */
	uint64_t got_ms, until_ms;  /* loop time; 0: there is no token */
	bool told;                  /* the answer has come */
	unsigned n_open;
	void (*closed)(void *ctx);
	void *ctx;
};

static uint64_t now_of(const struct agent_token *t)
{
	return uv_now(t->vault->loop);
}

static void on_timer(uv_timer_t *);

static void try_again_in(struct agent_token *t, uint64_t ms)
{
	uv_timer_start(&t->timer, on_timer, ms, 0);
}

/* What there was is used as long as it lasts. */
static void fail(struct agent_token *t, const char *why)
{
	uint64_t now = now_of(t);

	backoff_failed(&t->backoff, now);
	log_warn("credential", "%s: no token for the agent's key: %s", t->vault->name, why);
	if (t->until_ms && now >= t->until_ms) {
		credential_drop(&t->vault->credential, "its token has run out");
		t->until_ms = 0;
	}
	try_again_in(t, backoff_left_ms(&t->backoff, now));
}

static uint64_t life_of(const struct json *j)
{
	uint32_t tok = json_member(j, 0, SL("expires_in"));
	int64_t seconds;

	if (tok == JSON_NONE || !json_int(j, tok, &seconds))
		return DEFAULT_LIFE_S;
	return seconds <= 0 ? 0 : seconds < MAX_LIFE_S ? (uint64_t)seconds : MAX_LIFE_S;
}

/* NULL, or what is wrong with the answer. */
static const char *take(struct agent_token *t, struct slice text, struct arena *arena)
{
	struct json j;
	uint64_t now = now_of(t), life_s;

	if (json_parse(&j, text, arena, NULL) != E_OK || !json_is(&j, 0, JSON_OBJECT))
		return "the endpoint's answer is no JSON object";
	uint32_t tok = json_member(&j, 0, SL("access_token"));
	struct slice token = json_is(&j, tok, JSON_STRING) ? json_string(&j, tok, arena) : SL("");
	if (!token.n)
		return "the endpoint's answer has no access_token";
	life_s = life_of(&j);
	if (!life_s)
		return "the endpoint's token has run out already";
	if (!credential_give(&t->vault->credential, token))
		return "the endpoint's token cannot stand in a header";
	backoff_works(&t->backoff);
	if (!t->until_ms)
		log_info("credential", "%s: a token was given for the agent's key", t->vault->name);
	t->got_ms = now;
	t->until_ms = now + life_s * 1000;
	try_again_in(t, life_s * 800); /* with a fifth of its time left */
	return NULL;
}

static void on_message(void *ctx, struct slice text)
{
	struct agent_token *t = ctx;
	struct arena arena;

	if (t->told)
		return;
	t->told = true;
	arena_init(&arena, MAX_ANSWER_BYTES * 64);
	const char *why = take(t, text, &arena);
	arena_finish(&arena); /* wiped */
	if (why)
		fail(t, why);
}

static void on_end(void *ctx, const struct upstream_end *end)
{
	struct agent_token *t = ctx;

	t->call = NULL;
	if (!t->told)
		fail(t, end->outcome == UP_UNAUTHORIZED ? "the endpoint did not accept it" : upstream_outcome_text(end->outcome));
}

static void start(struct agent_token *t)
{
	struct upstream_sink sink = { .message = on_message, .end = on_end, .ctx = t };
	struct buf body;

	if (t->call)
		return;
	uv_timer_stop(&t->timer);
	if (!credential_read(&t->key)) {
		fail(t, t->key.fault);
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
	struct upstream_request r = { .body = buf_slice(&body), .id = SL("1"), .limit_ms = LIMIT_MS };
	t->told = false;
	t->call = body.failed ? NULL : upstream_send(t->talk, &r, &sink);
	buf_finish(&body); /* wiped */
	if (!t->call)
		fail(t, "out of memory");
}

static void on_timer(uv_timer_t *timer)
{
	start(timer->data);
}

static bool key_changed(struct agent_token *t)
{
	unsigned char now[DIGEST_BYTES];
	bool changed = credential_read(&t->key);

	if (changed) {
		digest_sha256(credential_secret(&t->key), now);
		changed = memcmp(now, t->seen, sizeof now) != 0;
	}
	credential_drop(&t->key, "read anew each time");
	return changed;
}

bool agent_token_refresh(struct agent_token *t)
{
	bool first = !t->until_ms && !t->call && !uv_is_active((uv_handle_t *)&t->timer);

	if (first || key_changed(t)) {
		t->backoff = (struct backoff){ 0 };
		start(t);
	}
	return credential_ready(&t->vault->credential);
}

void agent_token_rejected(struct agent_token *t)
{
	if (t->until_ms && now_of(t) - t->got_ms >= AGAIN_MS)
		start(t);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void one_closed(struct agent_token *t)
{
	void (*closed)(void *ctx) = t->closed;
	void *ctx = t->ctx;

	if (--t->n_open)
		return;
	credential_finish(&t->key);
	free(t->id);
	free(t);
	closed(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(h->data);
}

static void on_endpoint_closed(void *ctx)
{
	one_closed(ctx);
}

void agent_token_close(struct agent_token *t, void (*closed)(void *ctx), void *ctx)
{
	t->closed = closed;
	t->ctx = ctx;
	t->n_open = 2;
	upstream_close(t->talk);
	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
	vault_free(t->endpoint, on_endpoint_closed, t);
}

static struct vault_config endpoint_config(const struct vault_config *conf)
{
	bool tls = slice_starts(conf->token_url, SL("https://"));

	return (struct vault_config){
		.name = conf->name, .url = conf->token_url, .transport = VAULT_STREAMABLE_HTTP, .tls_ca = tls ? conf->tls_ca : SL(""),
		.proxy = tls ? conf->proxy : SL(""), .max_message_bytes = MAX_ANSWER_BYTES, .connect_timeout_ms = conf->connect_timeout_ms,
		.max_connections = 2,
	};
}

struct agent_token *agent_token_create(struct vault *vault, const struct vault_config *conf, const char **why)
{
	static const struct upstream_events nothing;
	struct vault_config key = { .credential_header = SL("key"), .credential_from = conf->credential_from, .credential_name = conf->credential_name };
	struct vault_config endpoint = endpoint_config(conf);
	struct agent_token *t = calloc(1, sizeof *t);

	*why = "out of memory";
	if (!t)
		return NULL;
	t->vault = vault;
	t->id = strndup(conf->token_agent_id.p, conf->token_agent_id.n);
	if (!t->id || !credential_init(&t->key, &key) || !(t->endpoint = vault_create(vault->loop, &endpoint, why)))
		goto fail;
	t->talk = vault_open(t->endpoint, &nothing);
	if (!t->talk)
		goto fail;
	uv_timer_init(vault->loop, &t->timer);
	uv_unref((uv_handle_t *)&t->timer);
	t->timer.data = t;
	return t;
fail: /* memory is out at start: what an endpoint without conversations holds is left to the end of the process */
	credential_finish(&t->key);
	free(t->id);
	free(t);
	return NULL;
}
