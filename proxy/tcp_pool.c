/* The buffers that connections share. */
#include "base/wipe.h"
#include "proxy/tcp_inside.h"

bool tcp_take_buffer(struct tcp_server *server, struct buf *b, size_t max_bytes)
{
	if (server->n_spare) {
		*b = server->spare[--server->n_spare];
		if (server->n_spare < server->spare_low)
			server->spare_low = server->n_spare;
		b->max = max_bytes;
		return true;
	}
	buf_init(b, max_bytes);
	return buf_reserve(b, TCP_BUFFER_BYTES < max_bytes ? TCP_BUFFER_BYTES : max_bytes) == E_OK;
}

void tcp_give_buffer(struct tcp_server *server, struct buf *b, size_t used)
{
	if (!b->p)
		return;
	if (server->closing || server->n_spare == TCP_SPARE_BUFFERS || b->cap < TCP_BUFFER_BYTES || b->cap > 2 * TCP_BUFFER_BYTES) {
		buf_finish(b);
	} else {
		wipe(b->p, used);
		buf_clear(b);
		server->spare[server->n_spare++] = *b;
	}
	buf_init(b, 0);
}

void tcp_trim_spare(struct tcp_server *server)
{
	for (size_t n = (server->spare_low + 1) / 2; n > 0; n--)
		buf_finish(&server->spare[--server->n_spare]);
	server->spare_low = server->n_spare;
}
