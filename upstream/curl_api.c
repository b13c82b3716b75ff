#include "upstream/curl_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/wipe.h"

#define LIBRARY "libcurl.so.4"
#define OLDEST 0x075800 /* 7.88.0 */

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define X(name) { "curl_" #name, offsetof(struct curl_api, name) },
	CURL_FUNCTIONS(X)
#undef X
};

static bool find_all(struct curl_api *api, void *library)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *found = dlsym(library, functions[i].name);

		if (!found)
			return false;
		memcpy((char *)api + functions[i].at, &found, sizeof found);
	}
	return api->version_info(CURLVERSION_NOW)->version_num >= OLDEST;
}

static bool start(const struct curl_api *api)
{
	unsetenv("SSLKEYLOGFILE"); /* libcurl would write the keys of every connection there */
	return api->global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc) == CURLE_OK;
}

bool curl_api_open(struct curl_api *api, const char **why)
{
	/* Never unloaded: what it brings along does not expect that. */
	void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

	if (!library) {
		log_error("upstream", "%s", dlerror());
		*why = LIBRARY " cannot be loaded: install libcurl (Debian: libcurl4), which a vault with a `url` needs";
		return false;
	}
	*why = NULL;
	if (!find_all(api, library))
		*why = LIBRARY " is older than 7.88: install a newer libcurl";
	else if (!start(api))
		*why = "libcurl cannot start";
	dlclose(library); /* our count of it, not the library */
	return !*why;
}

void curl_api_close(struct curl_api *api)
{
	api->global_cleanup();
}
