#include "mcp/changes.h"

#define LIST(name) { { name "ListChanged", sizeof name - 1 + 11 }, { "notifications/" name "/list_changed", sizeof name - 1 + 27 }, name ".listChanged" }

const struct change changes[N_CHANGES] = { LIST("tools"), LIST("prompts"), LIST("resources") };

unsigned changes_offered(const struct json *j, uint32_t capabilities)
{
	unsigned set = 0;

	for (unsigned i = 0; i < N_CHANGES && capabilities != JSON_NONE; i++)
		if (json_is(j, json_walk(j, capabilities, changes[i].capability), JSON_TRUE))
			set |= 1u << i;
	return set;
}

unsigned changes_wished(const struct json *j, uint32_t notifications)
{
	unsigned set = 0;

	for (unsigned i = 0; i < N_CHANGES; i++)
		if (json_is(j, json_member(j, notifications, changes[i].wish), JSON_TRUE))
			set |= 1u << i;
	return set;
}
