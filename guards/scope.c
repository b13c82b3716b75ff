#include "guards/scope.h"

#include "guards/facts.h"
#include "guards/look.h"

#define BARE_MAX 1024 /* bytes a bare text may have to be taken for a path */

static bool verdict_in(struct scope *s, enum paths_verdict v, const struct origin *rule)
{
	if (v == PATHS_IN)
		return true;
	s->rule = *rule;
	return false;
}

/* A wildcard that stands beside letters (`pro*`) may mean more than its fixed part says. */
static bool is_partial(struct slice raw)
{
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] != '*')
			continue;
		bool open = i == 0 || raw.p[i - 1] == '/' || raw.p[i - 1] == '*';
		bool close = i + 1 == raw.n || raw.p[i + 1] == '/' || raw.p[i + 1] == '*';
		return !open || !close;
	}
	return false;
}

static bool pattern_in(struct scope *s, struct slice raw)
{
	struct origin rule = s->view->policy->allowed.at;
	struct path base;
	bool wild = false;
	enum path_fault f = path_glob_base(&base, raw, &wild, s->view->arena);

	if (f == PATH_NOMEM)
		s->nomem = true;
	if (f != PATH_OK)
		return verdict_in(s, PATHS_OUTSIDE, &rule);
	if (!wild)
		return verdict_in(s, policy_judge_path(s->view->policy, &base, &rule), &rule);
	if (is_partial(raw))
		return verdict_in(s, policy_judge_subtree(s->view->policy, &base, &rule), &rule);
	return verdict_in(s, policy_judge_listing(s->view->policy, &base, &rule), &rule);
}

bool scope_in(struct scope *s, struct slice raw, enum scope_as as)
{
	struct origin rule = s->view->policy->allowed.at;
	bool folder = as == SCOPE_FOLDER || slice_ends(raw, SL("/"));
	struct path path;

	if (raw.n == 0 || slice_eq(raw, SL("/")))
		return true;
	if (as == SCOPE_PATTERN && memchr(raw.p, '*', raw.n))
		return pattern_in(s, raw);
	enum path_fault f = path_canonical(&path, raw, false, s->view->arena);
	if (f == PATH_NOMEM)
		s->nomem = true;
	if (f != PATH_OK)
		return verdict_in(s, PATHS_OUTSIDE, &rule);
	if (folder)
		return verdict_in(s, policy_judge_listing(s->view->policy, &path, &rule), &rule);
	return verdict_in(s, policy_judge_path(s->view->policy, &path, &rule), &rule);
}

bool scope_joined_in(struct scope *s, struct slice raw, enum scope_as as)
{
	size_t n = 0;
	char *once;

	if (slice_find(raw, SL("//")) < 0)
		return scope_in(s, raw, as);
	once = arena_alloc_raw(s->view->arena, raw.n);
	if (!once) {
		s->nomem = true;
		return false;
	}
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] != '/' || n == 0 || once[n - 1] != '/')
			once[n++] = raw.p[i];
	return scope_in(s, slice_make(once, n), as);
}

/* --- URIs --------------------------------------------------------------------------------------------------------- */

static bool is_web(struct slice uri)
{
	static const struct slice SCHEMES[] = { { "http://", 7 }, { "https://", 8 }, { "urn:", 4 }, { "mailto:", 7 } };

	for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++)
		if (slice_eq_nocase(slice_head(uri, SCHEMES[i].n), SCHEMES[i]))
			return true;
	return false;
}

/* Reads the URI as if the agent had asked for it. False when it cannot be read. */
static bool read_uri(struct scope *s, struct slice uri, struct call *asked)
{
	struct facts f = { .view = s->view, .arena = s->view->arena, .call = asked, .locked = true };

	asked->method = method_by_id(M_RESOURCES_READ);
	classify_resource(&f, uri);
	s->nomem = s->nomem || f.nomem;
	return !f.nomem && asked->fault.kind != VERDICT_DENY;
}

static bool is_known(const struct scope *s, struct slice uri)
{
	struct uri_var vars[CATALOG_MAX_VARS];
	size_t n = 0;

	return catalog_resource(s->view->catalog, uri, vars, &n) != NULL;
}

static bool fact_in(struct scope *s, const struct path_fact *fact)
{
	struct origin rule = s->view->policy->allowed.at;

	if (fact->absent)
		return true;
	if (fact->fault != PATH_OK)
		return verdict_in(s, PATHS_OUTSIDE, &rule);
	if (fact->covers == COVERS_ONE)
		return verdict_in(s, policy_judge_path(s->view->policy, &fact->path, &rule), &rule);
	return verdict_in(s, policy_judge_listing(s->view->policy, &fact->path, &rule), &rule);
}

bool scope_uri_in(struct scope *s, struct slice uri)
{
	ptrdiff_t scheme = slice_find(uri, SL("://"));
	struct call asked = { 0 };

	if (is_web(uri))
		return true;
	if (scheme < 0)
		return scope_in(s, uri, SCOPE_ONE);
	if (!is_known(s, uri))
		return scope_in(s, slice_from(uri, (size_t)scheme + 3), SCOPE_ONE);
	if (!read_uri(s, uri, &asked))
		return verdict_in(s, PATHS_OUTSIDE, &s->view->policy->allowed.at);
	for (size_t i = 0; i < asked.n_paths; i++)
		if (!fact_in(s, &asked.paths[i]))
			return false;
	return true;
}

bool scope_uri_tenant_in(struct scope *s, struct slice uri)
{
	const struct policy *p = s->view->policy;
	struct call asked = { 0 };

	if (is_web(uri) || !is_known(s, uri))
		return true;
	if (!read_uri(s, uri, &asked))
		return false;
	for (size_t i = 0; i < asked.n_tenants; i++) {
		const struct lock *lock = asked.tenants[i].partner ? &p->partner : &p->tenant;
		if (lock->text.n && !slice_eq(lock->text, asked.tenants[i].text)) {
			s->rule = lock->at;
			return false;
		}
	}
	return true;
}

/* --- bare texts --------------------------------------------------------------------------------------------------- */

static bool is_number_list(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '/' && s.p[i] != '.' && s.p[i] != ':' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	return true;
}

/* `a%2Fb`, or a look-alike of the slash. */
static bool holds_hidden_slash(struct slice s)
{
	static const struct slice SLASHES[] = { { "%2f", 3 }, { "%2F", 3 }, { "\xef\xbc\x8f", 3 }, { "\xe2\x81\x84", 3 },
		{ "\xe2\x88\x95", 3 }, { "\xe2\xa7\xb8", 3 } };

	for (size_t i = 0; i + 3 <= s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c != '%' && c != 0xef && c != 0xe2)
			continue;
		for (size_t k = 0; k < sizeof SLASHES / sizeof *SLASHES; k++)
			if (slice_starts(slice_from(s, i), SLASHES[k]))
				return true;
	}
	return false;
}

/* `application/json`, `text/plain`: what stands behind says that it is the kind of a document. */
static bool is_mime(struct slice s)
{
	static const char *const KINDS[] = { "json", "xml", "yaml", "octet-stream", "pdf", "plain", "html", "csv",
		"markdown", "event-stream", "x-www-form-urlencoded", "x-pem-file", "x-yaml", "x-ndjson" };
	struct slice kind = s, main = slice_cut(&kind, '/');

	if (!slice_eq(main, SL("application")) && !slice_eq(main, SL("text")))
		return false;
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
		if (slice_eq(kind, slice_of(KINDS[i])))
			return true;
	return false;
}

bool scope_looks_like_path(struct slice s)
{
	if (s.n == 0 || s.n > BARE_MAX || memchr(s.p, '\n', s.n) || (!memchr(s.p, '/', s.n) && !holds_hidden_slash(s)))
		return false;
	return !is_web(s) && !is_number_list(s) && !is_mime(s);
}

/* What stands behind `word:word:`, when that is how the text starts. */
static struct slice behind_scope(struct slice text)
{
	struct slice rest = text;

	for (size_t i = 0; i < text.n && text.p[i] != '/'; i++) {
		char c = text.p[i];
		if (c == ':' && i + 1 < text.n && text.p[i + 1] != '/')
			rest = slice_from(text, i + 1);
		else if (c == ':')
			return text;
	}
	return rest;
}

bool scope_bare_in(struct scope *s, struct slice text)
{
	if (!scope_looks_like_path(text))
		return true;
	if (slice_find(text, SL("://")) >= 0)
		return scope_uri_in(s, text);
	return scope_in(s, behind_scope(text), SCOPE_PATTERN);
}

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || memchr("\"'`()<>,;|\\", c, 11) != NULL;
}

/* What people write with a slash, and no vault does. */
static bool is_idiom(struct slice word)
{
	static const char *const IDIOMS[] = { "and/or", "n/a", "w/o", "i/o", "yes/no", "on/off", "read/write", "tcp/ip",
		"ci/cd", "ssl/tls", "client/server" };

	for (size_t i = 0; i < sizeof IDIOMS / sizeof *IDIOMS; i++)
		if (slice_eq_nocase(word, slice_of(IDIOMS[i])))
			return true;
	return word.n < 3;
}

static bool word_in(struct scope *s, struct slice word)
{
	if (is_idiom(word))
		return true;
	/* `key=prod/x`: what is named stands behind the last sign before the path. */
	const char *slash = memchr(word.p, '/', word.n);
	for (size_t i = slash ? (size_t)(slash - word.p) : word.n; i > 0; i--)
		if (word.p[i - 1] == '=') {
			word = slice_from(word, i);
			break;
		}
	return is_idiom(word) || scope_was_asked(s, word) || scope_bare_in(s, word);
}

bool scope_word_outside(struct scope *s, struct slice text, size_t *from, size_t *to)
{
	size_t at = *from;

	for (size_t i = at; i <= text.n; i++) {
		if (i < text.n && !ends_word(text.p[i]))
			continue;
		struct slice word = slice_make(text.p + at, i - at);
		while (word.n && memchr(".:!?", word.p[word.n - 1], 4))
			word.n--;
		if (!word_in(s, word)) {
			*from = at;
			*to = at + word.n;
			return true;
		}
		at = i + 1;
	}
	return false;
}

bool scope_sentence_in(struct scope *s, struct slice text)
{
	size_t from = 0, to;

	if (text.n == 0 || (!memchr(text.p, '/', text.n) && !holds_hidden_slash(text)))
		return true;
	return !scope_word_outside(s, text, &from, &to);
}

/* What members of `_meta` are called: a domain's name before the slash. */
static bool is_meta_name(const struct json *j, uint32_t tok, struct slice name)
{
	struct slice head = slice_cut(&name, '/');
	return (j->tok[tok].flags & JSON_NAME) && name.p && head.n && memchr(head.p, '.', head.n);
}

bool scope_json_in(struct scope *s, const struct json *j, uint32_t tok)
{
	for (uint32_t t = tok; t < j->tok[tok].next; t++) {
		struct slice text = json_is(j, t, JSON_STRING) ? json_string(j, t, s->view->arena) : SL("");
		if (!text.p) {
			s->nomem = true;
			return false;
		}
		if (!scope_sentence_in(s, text) && !is_meta_name(j, t, text))
			return false;
	}
	return true;
}

static struct slice trim_slashes(struct slice s)
{
	if (s.n && s.p[0] == '/')
		s = slice_from(s, 1);
	return s.n && s.p[s.n - 1] == '/' ? slice_head(s, s.n - 1) : s;
}

/* Only arguments that the request side judged as a path: an echo of a search word would tell that it was found. */
static bool is_path_argument(const struct call *c, struct slice name)
{
	for (size_t i = 0; c->rule && i < c->rule->n_paths; i++)
		if (template_mentions(&c->rule->paths[i], name))
			return true;
	return !c->rule && (look_is_path(look_word(name)) || look_word(name) == LOOK_KEY);
}

bool scope_was_asked(const struct scope *s, struct slice text)
{
	const struct call *c = s->call;
	const struct json *j = c ? c->args_json : NULL;

	text = trim_slashes(text);
	if (!c || text.n == 0)
		return false;
	for (size_t i = 0; i < c->n_paths; i++)
		if (c->paths[i].fault == PATH_OK && slice_eq(c->paths[i].path.text, text))
			return true;
	if (!j || !json_is(j, c->args, JSON_OBJECT))
		return false;
	for (uint32_t t = json_first(j, c->args); t < j->tok[c->args].next; t = j->tok[t + 1].next) {
		if (!json_is(j, t + 1, JSON_STRING) || !is_path_argument(c, json_string(j, t, s->view->arena)))
			continue;
		if (slice_eq(trim_slashes(json_string(j, t + 1, s->view->arena)), text))
			return true;
	}
	return false;
}
