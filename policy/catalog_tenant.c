/* `tenant:`: what says whose secrets a call is about. */
#include "policy/catalog_read.h"

/* One word of the tenant map, of which there may be only one; false when it is not there. */
static bool one_way(struct catalog_reader *r, const struct yaml_node *map, const char *key, enum tenant_by by,
	struct tenant_rule *out)
{
	const struct yaml_node *node = yaml_get(map, slice_of(key));
	if (!node)
		return false;
	if (out->by != TENANT_NONE)
		faults_add(r->faults, node->key_at, "`tenant` takes one of arg, header, uri and fixed");
	out->by = by;
	if (by != TENANT_FIXED)
		catalog_texts(r, node, &out->names, &out->n);
	else if (!catalog_flag(r, node))
		faults_add(r->faults, node->at, "`fixed` can only be true");
	if ((by == TENANT_HEADER || by == TENANT_URI) && out->n != 1)
		faults_add(r->faults, node->at, "`%s` is one name", key);
	return true;
}

void catalog_read_tenant(struct catalog_reader *r, const struct yaml_node *node, struct tenant_rule *out)
{
	static const char *const keys[] = { "arg", "partner", "header", "uri", "fixed", NULL };
	if (!catalog_map(r, node, keys))
		return;
	bool any = one_way(r, node, "arg", TENANT_ARG, out);
	any |= one_way(r, node, "header", TENANT_HEADER, out);
	any |= one_way(r, node, "uri", TENANT_URI, out);
	any |= one_way(r, node, "fixed", TENANT_FIXED, out);
	if (!any)
		faults_add(r->faults, node->at, "`tenant` needs one of arg, header, uri and fixed");
	catalog_texts(r, yaml_get(node, SL("partner")), &out->partner_names, &out->n_partner);
}
