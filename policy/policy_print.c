#include "policy/config.h"
#include "policy/options.h"

static void print_origin(struct buf *out, struct origin at)
{
	if (at.file.n == 0)
		buf_add(out, SL("  (default)\n"));
	else if (at.line)
		buf_add_fmt(out, "  (%.*s:%u:%u)\n", SL_ARG(at.file), at.line, at.column);
	else
		buf_add_fmt(out, "  (%.*s)\n", SL_ARG(at.file));
}

static void print_text(struct buf *out, const char *key, struct slice text, struct origin at)
{
	buf_add_fmt(out, "%s: %.*s", key, SL_ARG(text));
	print_origin(out, at);
}

static void print_bool(struct buf *out, const char *key, bool value, struct origin at)
{
	print_text(out, key, value ? SL("true") : SL("false"), at);
}

/* One line a prefix; a trailing slash shows that a prefix is meant. */
static void print_prefixes(struct buf *out, const char *key, const struct prefixes *p, struct slice when_unset)
{
	if (!p->set)
		print_text(out, key, when_unset, (struct origin){ 0 });
	else if (p->n == 0)
		print_text(out, key, SL("none"), p->at);
	for (size_t i = 0; p->set && i < p->n; i++) {
		buf_add_fmt(out, "%s: %.*s/", key, SL_ARG(p->v[i].path.text));
		print_origin(out, p->v[i].at);
	}
}

static void print_lock(struct buf *out, const char *key, const struct lock *lock)
{
	print_text(out, key, lock->text.n ? lock->text : SL("any"), lock->at);
}

static void print_actions(struct buf *out, const struct policy *p)
{
	static const enum action all[] = {
#define X(name, ...) ACT_##name,
		ACTIONS(X)
#undef X
	};
	bool any = false;

	if (p->actions == ~0u) {
		print_text(out, "actions", SL("all"), p->actions_at);
		return;
	}
	buf_add(out, SL("actions:"));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!(p->actions & 1u << all[i]))
			continue;
		buf_add_fmt(out, "%s %s", any ? "," : "", action_name(all[i]));
		any = true;
	}
	if (!any)
		buf_add(out, SL(" none"));
	print_origin(out, p->actions_at);
}

static void print_globs(struct buf *out, const char *key, const struct slice *v, size_t n, struct origin at)
{
	buf_add_fmt(out, "%s:", key);
	for (size_t i = 0; i < n; i++)
		buf_add_fmt(out, "%s %.*s", i ? "," : "", SL_ARG(v[i]));
	if (n == 0)
		buf_add(out, SL(" none"));
	print_origin(out, at);
}

static void print_tools(struct buf *out, const struct policy *p)
{
	if (p->n_tools == 0)
		print_text(out, "tools", SL("all"), (struct origin){ 0 });
	for (size_t i = 0; i < p->n_tools; i++) {
		const struct glob_layer *layer = &p->tools[i];

		if (layer->allow_set)
			print_globs(out, "tools.allow", layer->allow, layer->n_allow, layer->at);
		if (layer->n_deny)
			print_globs(out, "tools.deny", layer->deny, layer->n_deny, layer->at);
	}
}

enum err policy_print(const struct policy *p, struct buf *out)
{
	buf_add_fmt(out, "profile: %.*s\n", SL_ARG(p->profile));
	print_bool(out, "read_only", p->read_only, p->read_only_at);
	print_bool(out, "mask_values", p->mask_values, p->mask_values_at);
	print_text(out, "exfiltration", slice_of(option_row(OPT_EXFILTRATION)->words[p->exfiltration]), p->exfiltration_at);
	print_bool(out, "redact_secrets", p->redact_secrets, p->redact_secrets_at);
	print_prefixes(out, "allowed_paths", &p->allowed, SL("all"));
	print_prefixes(out, "denied_paths", &p->denied, SL("none"));
	print_lock(out, "tenant", &p->tenant);
	print_lock(out, "partner", &p->partner);
	print_actions(out, p);
	print_tools(out, p);
	print_text(out, "unknown_tools", p->deny_unknown_tools ? SL("deny") : SL("allow"), p->deny_unknown_at);
	print_bool(out, "enforce", p->enforce, p->enforce_at);
	return out->failed;
}
