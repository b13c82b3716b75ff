/* Headers for a vault and variables for a child: names with values that are no credentials. */
#include "policy/config_inside.h"

/* Headers that narrowgate makes itself, so that what was judged is what goes out. */
static const char *const own_headers[] = { "host", "content-type", "content-length", "accept", "accept-encoding",
	"connection", "transfer-encoding", "te", "upgrade", "expect", "mcp-session-id", "mcp-protocol-version",
	"mcp-method", "mcp-name", "last-event-id", "origin", NULL };

/* RFC 9110 §5.6.2. */
static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				(c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return s.n > 0;
}

static bool check_header_name(struct loader *l, struct slice name, struct origin at)
{
	if (!is_token(name)) {
		faults_add(l->faults, at, "`%.*s` is no header name", SL_ARG(slice_head(name, 60)));
		return false;
	}
	for (size_t i = 0; own_headers[i]; i++) {
		if (slice_eq_nocase(name, slice_of(own_headers[i])) ||
			slice_eq_nocase(slice_head(name, 10), SL("mcp-param-"))) {
			faults_add(l->faults, at, "the header `%.*s` is narrowgate's to set",
				SL_ARG(slice_head(name, 60)));
			return false;
		}
	}
	return true;
}

struct slice config_header_name(struct loader *l, const struct yaml_node *node)
{
	struct slice name = config_text(l, node);

	if (name.p && !check_header_name(l, name, node->at))
		return (struct slice){ NULL, 0 };
	return name;
}

static bool check_header(struct loader *l, const struct yaml_node *entry)
{
	if (!check_header_name(l, entry->key, entry->key_at))
		return false;
	if (!config_names_credential(entry->key))
		return true;
	faults_add(l->faults, entry->key_at,
		"`%.*s` looks like a credential: write `credential: {header: {name: %.*s, value: {file: PATH}}}`",
		SL_ARG(entry->key), SL_ARG(entry->key));
	return false;
}

/* `${NAME}` and nothing else: the value stands elsewhere. */
static bool is_reference(struct slice s)
{
	return slice_starts(s, SL("${")) && slice_ends(s, SL("}")) && slice_find(s, SL(":-")) < 0;
}

static bool check_variable(struct loader *l, const struct yaml_node *entry)
{
	struct slice name = entry->key;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9'))) {
			faults_add(l->faults, entry->key_at, "`%.*s` is no name of a variable",
				SL_ARG(slice_head(name, 60)));
			return false;
		}
	}
	if (!config_names_credential(name) || is_reference(entry->text))
		return true;
	faults_add(l->faults, entry->at,
		"`%.*s` looks like a credential, which must not stand in the file: write `\"${%.*s}\"`", SL_ARG(name),
		SL_ARG(name));
	return false;
}

const struct pair *config_pairs(struct loader *l, const struct yaml_node *map, bool headers, size_t *n)
{
	*n = 0;
	if (!yaml_is(map, YAML_MAP, l->faults))
		return NULL;
	struct pair *v = config_array(l, map->n, sizeof *v);

	for (const struct yaml_node *c = map->first; v && c; c = c->next) {
		if (!(headers ? check_header(l, c) : check_variable(l, c)))
			continue;
		v[*n] = (struct pair){ c->key, config_text(l, c) };
		if (v[*n].value.p)
			++*n;
	}
	return v;
}
