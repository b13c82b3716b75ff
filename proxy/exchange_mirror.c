/* What headers repeat of a stateless request: compared on its way in, made anew on its way up (mcp/mirror.h). */
#include "mcp/mirror.h"
#include "mcp/stateless.h"
#include "proxy/exchange_inside.h"

#define MAX_MIRROR_BYTES (32 * 1024)

/* The arguments that this call's tool wants repeated in headers. */
static const struct mirror_param *params_of(struct exchange *x, size_t *n)
{
	uint32_t name = json_member(&x->rpc.json, x->rpc.params, SL("name"));
	struct slice tool = json_is(&x->rpc.json, name, JSON_STRING) ? json_string(&x->rpc.json, name, &x->arena) : SL("");

	*n = 0;
	return x->method == M_TOOLS_CALL && tool.n ? toolbook_mirrors(x->channel->trunk->backend->tools, tool, n) : NULL;
}

bool exchange_mirror(struct exchange *x, struct slice bytes, struct slice *out)
{
	const struct backend *backend = x->channel->trunk->backend;
	const struct rpc *rpc = &x->rpc;
	struct rpc judged;
	struct buf lines;
	size_t n;

	*out = SL("");
	if (!(x->rpc.stateless || backend->conf->translates) || x->kind != XK_REQUEST || backend_is_pipe(backend))
		return true;
	const struct mirror_param *params = params_of(x, &n);
	buf_init(&lines, MAX_MIRROR_BYTES);
	bool same = slice_eq(bytes, x->rpc.json.text);
	enum err e = same ? E_OK : rpc_parse(&judged, bytes, &x->arena, NULL);
	if (!same)
		rpc = &judged;
	if (e == E_OK)
		e = mirror_write(&lines, rpc, x->method, params, n, &x->arena);
	*out = e == E_OK ? arena_dup(&x->arena, buf_slice(&lines)) : SL("");
	buf_finish(&lines);
	if (e == E_OK && out->p)
		return true;
	exchange_fail(x, 400, RPC_INVALID_PARAMS, "an argument that a header must repeat cannot stand in one");
	return false;
}

/* Which arguments they are, the vault's tool list says. */
bool exchange_mirror_fails(struct exchange *x)
{
	struct toolbook *tools = x->channel->trunk->backend->tools;
	const char *bad;
	size_t n;

	if (!x->rpc.stateless || x->method != M_TOOLS_CALL || x->channel->stdio)
		return false;
	const struct mirror_param *params = params_of(x, &n);
	if (!params && x->params.n && !toolbook_complete(tools)) {
		exchange_wait_for_tools(x);
		return true;
	}
	bad = mirror_check_params(x->params, &x->rpc, params, n, &x->arena);
	if (bad)
		exchange_fail(x, 400, MCP_HEADER_MISMATCH, bad);
	return bad != NULL;
}

bool exchange_learn_mirror(struct exchange *x)
{
	if (x->fetched || x->method != M_TOOLS_CALL || backend_is_pipe(x->channel->trunk->backend))
		return false;
	upstream_cancel(x->ucall);
	x->ucall = NULL;
	toolbook_clear(x->channel->trunk->backend->tools);
	exchange_wait_for_tools(x);
	return true;
}
