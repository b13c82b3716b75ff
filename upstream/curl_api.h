/*
 * libcurl, loaded when the first vault on HTTP is made and not before: its thirty libraries take the dynamic loader longer
 * than all the rest of the start together, and a vault that is a child process needs none of them. Everything that is
 * called of libcurl is called through this table.
 */
#ifndef NARROWGATE_UPSTREAM_CURL_API_H
#define NARROWGATE_UPSTREAM_CURL_API_H

#include <curl/curl.h>
#include <stdbool.h>

#define CURL_FUNCTIONS(X) \
	X(global_init_mem) X(global_cleanup) X(version) X(version_info) X(free) \
	X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_send) X(easy_recv) X(easy_strerror) \
	X(multi_init) X(multi_cleanup) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) X(multi_assign) \
	X(multi_socket_action) X(multi_info_read) \
	X(share_init) X(share_setopt) X(share_cleanup) \
	X(url) X(url_set) X(url_get) X(url_cleanup) X(slist_append) X(slist_free_all)

struct curl_api {
#define X(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(X)
#undef X
};

/*
 * Finds the library, loading it where that is still to do, and starts it (the starts are counted) with an allocator that
 * wipes. It stays loaded until the process ends. False, with a static text in *why, when there is none that can be used.
 */
bool curl_api_open(struct curl_api *, const char **why);
/* The other half of a curl_api_open that was true. The table must not be used any more. */
void curl_api_close(struct curl_api *);

#endif
