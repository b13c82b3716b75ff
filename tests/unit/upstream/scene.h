/*
 * A scripted vault and the rig that talks to it.
 */
#ifndef NARROWGATE_TESTS_UPSTREAM_SCENE_H
#define NARROWGATE_TESTS_UPSTREAM_SCENE_H

#include "tests/unit/upstream/fake.h"
#include "tests/unit/upstream/rig.h"

#define EVENTS "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

struct scene {
	struct fake fake;
	struct rig rig;
	char url[64];
};

static inline void open_scene(struct scene *s, void (*script)(struct fake *))
{
	fake_start(&s->fake, script, NULL);
	struct vault_config conf = rig_config(s->fake.port, s->url);
	rig_open(&s->rig, &conf);
}

static inline void close_scene(struct scene *s)
{
	rig_close(&s->rig);
	fake_stop(&s->fake);
	fake_free(&s->fake);
}

/* How often `what` stands in `in`. */
static inline int count(const char *in, const char *what)
{
	int n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

#endif
