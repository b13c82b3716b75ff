#include "upstream/token.h"

#include "base/log.h"

#define DEFAULT_LIFE_S 900      /* where nobody says */
#define MAX_LIFE_S (24 * 3600)
#define HOPELESS_MS 300000      /* whatever it was may have been put right where nobody here sees it */
#define AGAIN_MS 10000          /* a token that is refused so soon after it was given will not get better */

static uint64_t now_of(const struct token *t)
{
	return uv_now(t->vault->loop);
}

static void attempt(struct token *t)
{
	if (t->busy)
		return;
	uv_timer_stop(&t->timer);
	t->busy = true;
	t->hopeless = false;
	t->ops->start(t);
}

static void on_timer(uv_timer_t *timer)
{
	attempt(timer->data);
}

void token_init(struct token *t, const struct token_ops *ops, struct vault *vault, const char *from)
{
	*t = (struct token){ .ops = ops, .vault = vault, .from = from };
	uv_timer_init(vault->loop, &t->timer);
	uv_unref((uv_handle_t *)&t->timer);
	t->timer.data = t;
}

void token_stop(struct token *t)
{
	uv_timer_stop(&t->timer);
}

bool token_refresh(struct token *t)
{
	bool first = !t->until_ms && !t->busy && !t->hopeless && !uv_is_active((uv_handle_t *)&t->timer);

	if (!t->busy && (first || t->ops->changed(t))) {
		t->backoff = (struct backoff){ 0 };
		attempt(t);
	}
	return credential_ready(&t->vault->credential);
}

void token_rejected(struct token *t, int status, struct slice challenge)
{
	if (!t->until_ms)
		return;
	if (status == 403) {
		if (t->ops->wants_more && t->ops->wants_more(t, challenge))
			attempt(t);
	} else if (now_of(t) - t->got_ms >= AGAIN_MS) {
		attempt(t);
	}
}

void token_given(struct token *t, struct slice secret, uint64_t life_s)
{
	uint64_t now = now_of(t);

	if (!credential_give(&t->vault->credential, secret)) {
		token_failed(t, "the token cannot stand in a header");
		return;
	}
	life_s = !life_s ? DEFAULT_LIFE_S : life_s < MAX_LIFE_S ? life_s : MAX_LIFE_S;
	t->busy = false;
	backoff_works(&t->backoff);
	if (!t->until_ms)
		log_info("credential", "%s: a token was given for %s", t->vault->name, t->from);
	t->got_ms = now;
	t->until_ms = now + life_s * 1000;
	uv_timer_start(&t->timer, on_timer, life_s * 800, 0);
}

void token_failed(struct token *t, const char *why)
{
	uint64_t now = now_of(t);

	t->busy = false;
	backoff_failed(&t->backoff, now);
	log_warn("credential", "%s: no token for %s: %s", t->vault->name, t->from, why);
	if (t->until_ms && now >= t->until_ms) {
		credential_drop(&t->vault->credential, "its token has run out");
		t->until_ms = 0;
	}
	uv_timer_start(&t->timer, on_timer, backoff_left_ms(&t->backoff, now), 0);
}

void token_hopeless(struct token *t, const char *why)
{
	t->busy = false;
	t->hopeless = true;
	t->until_ms = 0;
	log_error("credential", "%s: no token for %s: %s", t->vault->name, t->from, why);
	credential_drop(&t->vault->credential, why);
	uv_timer_start(&t->timer, on_timer, HOPELESS_MS, 0);
}
