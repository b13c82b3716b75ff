/* Finding a rule in a catalog, and a catalog among the built-in ones. */
#include <stdio.h>
#include <stdlib.h>
#include "policy/catalog_read.h"
#include "policy/embed.h"

int catalog_order(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *name, const void *rule)
{
	return catalog_order(*(const struct slice *)name, ((const struct rule *)rule)->name);
}

static const struct rule *find(const struct rule *rules, size_t n, struct slice name)
{
	return n ? bsearch(&name, rules, n, sizeof *rules, by_name) : NULL;
}

const struct rule *catalog_tool(const struct catalog *c, struct slice name)
{
	return find(c->tools, c->n_tools, name);
}

const struct rule *catalog_prompt(const struct catalog *c, struct slice name)
{
	return find(c->prompts, c->n_prompts, name);
}

static struct catalog *parse_embedded(const struct embedded *e, struct faults *faults)
{
	struct slice name = slice_of(e->name);
	char file[96];
	int n = snprintf(file, sizeof file, "built-in catalog %.*s", SL_ARG(slice_head(name, 60)));
	return catalog_parse(slice_make(e->text, e->length), slice_make(file, n > 0 ? (size_t)n : 0), faults);
}

struct catalog *catalog_builtin(struct slice name, struct faults *faults)
{
	for (size_t i = 0; i < policy_catalogs_count; i++)
		if (slice_eq(slice_of(policy_catalogs[i].name), name))
			return parse_embedded(&policy_catalogs[i], faults);
	return NULL;
}

struct slice catalog_builtin_names(void)
{
	return slice_of(policy_catalogs_names);
}

static bool is_server(const struct catalog *c, struct slice server_name)
{
	size_t start, end;
	bool overrun;
	return c->server && regex_match(c->server, server_name, 0, &start, &end, &overrun);
}

struct slice catalog_match(struct slice server_name)
{
	struct slice found = { NULL, 0 };
	for (size_t i = 0; i < policy_catalogs_count; i++) {
		struct faults faults;
		faults_init(&faults);
		struct catalog *c = parse_embedded(&policy_catalogs[i], &faults);
		bool matches = c && is_server(c, server_name);
		catalog_free(c);
		faults_finish(&faults);
		if (!matches)
			continue;
		if (found.n)
			return SL("generic");
		found = slice_of(policy_catalogs[i].name);
	}
	return found.n ? found : SL("generic");
}
