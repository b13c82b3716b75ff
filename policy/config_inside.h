/*
 * What the files that read the configuration share; nobody outside policy/config_*.c includes it.
 */
#ifndef NARROWGATE_POLICY_CONFIG_INSIDE_H
#define NARROWGATE_POLICY_CONFIG_INSIDE_H

#include "policy/config.h"
#include "policy/options.h"
#include "policy/yaml.h"

/* Guards that later versions have: a profile may say `off`, never ask for them. */
enum later_guard { LATER_INSPECTION, LATER_PII, N_LATER };

/* A switch somebody wrote, or did not. */
enum said { SAID_NOTHING, SAID_FALSE, SAID_TRUE };
struct said_at {
	enum said said;
	struct origin at;
};

/* One of an option's words, the narrowest being 0. */
struct word_at {
	bool said;
	bool narrows;  /* heard where it narrows, and else no fault */
	unsigned word;
	struct origin at;
};

/* What one place says: a profile's own keys, the environment, the command line. */
struct layer {
	struct said_at read_only, mask_values, redact_secrets, deny_unknown, enforce;
	struct word_at exfiltration;
	struct said_at off[N_LATER]; /* SAID_TRUE: switched off, or down to recording */
	bool records[N_LATER];       /* … down to recording: less than the default, more than nothing */
	struct prefixes allowed, denied;
	struct lock tenant, partner;
	bool actions_set;
	unsigned actions;
	struct origin actions_at;
	const struct glob_layer *tools;
	size_t n_tools;
};

struct profile {
	struct policy policy;
	bool off[N_LATER];
	struct profile *effective; /* under the environment and the flags; NULL while no agent has the profile */
};

/* A profile's place in the file, and how far it is read. */
struct profile_row {
	struct slice name;
	const struct yaml_node *node; /* NULL: a built-in one, not read yet */
	struct profile *profile;      /* NULL: not read */
	bool open;                    /* being read: met again, it extends itself */
	bool broken;
};

struct loader {
	struct config *config;
	struct arena *arena;          /* the config's own */
	struct faults *faults;
	const struct config_flags *flags;
	env_get_fn *env_get;
	void *env_ctx;
	struct slice file, dir;       /* dir: of the file, with its slash; empty without a file */
	const struct yaml_node *root; /* NULL: no file */
	struct profile_row *rows;
	size_t n_rows;
	struct slice default_profile; /* as the file names it; empty: it does not */
	struct origin default_profile_at;
	struct layer env, command_line;
	bool env_given;
	struct buf hashed;            /* what the hash is made of */
};

/* --- config_text.c: words, texts, times, sizes ------------------------------------------------------------------- */

/* n elements, zeroed; NULL adds a fault. */
void *config_array(struct loader *, size_t n, size_t size);
/* A scalar's text with ${…} expanded. A fault and {NULL, 0} when it is no text, empty, or has control characters. */
struct slice config_text(struct loader *, const struct yaml_node *);
/* The same for a list of texts; a fault for anything else. *n is 0 on faults. `may_be_empty`: so may the list. */
const struct slice *config_texts(struct loader *, const struct yaml_node *, size_t *n, bool may_be_empty);
/* A path in the file, taken from the file's directory when it is relative. */
struct slice config_path(struct loader *, const struct yaml_node *);
/* The index of the word among `words` (NULL-terminated), or -1 and a fault that names the nearest. */
int config_word(struct loader *, const struct yaml_node *, const char *const *words);
/* `500ms`, `25s`, `2m`, `1h`; `deflt` and a fault otherwise. */
uint64_t config_duration(struct loader *, const struct yaml_node *, uint64_t deflt);
/* Bytes, `64KiB`, `4MiB`; `deflt` and a fault otherwise. */
size_t config_size(struct loader *, const struct yaml_node *, size_t deflt, size_t least, size_t most);
/* Adds the fault that this version lacks what was asked for. */
void config_not_here(struct loader *, struct origin at, const char *what);
/* Adds a piece to what is hashed, with its length before it. */
void config_hash_add(struct loader *, struct slice what, struct slice text);

/* --- the parts of the file, each in a file of its name ------------------------------------------------------------ */

void config_read_listen(struct loader *, const struct yaml_node *); /* NULL: defaults */
void config_read_upstreams(struct loader *, const struct yaml_node *);
void config_read_credential(struct loader *, const struct yaml_node *, struct upstream_config *);
/* `{file: PATH}` or `{env: NAME}`. */
void config_read_secret(struct loader *, const struct yaml_node *, struct secret_ref *);
/* config_oauth.c */
void config_read_oauth(struct loader *, const struct yaml_node *, struct upstream_config *);
/* A URL without credentials, https, or http to this host. False and a fault otherwise. */
bool config_check_url(struct loader *, struct slice url, struct origin at);
/* Whether a host is this machine: localhost, 127/8, ::1. */
bool config_is_loopback(struct slice host);
/* Whether a name (of a header, of a variable) says that its value is a credential. */
bool config_names_credential(struct slice name);
/* A header's name that may be set; {NULL, 0} after a fault. */
struct slice config_header_name(struct loader *, const struct yaml_node *);
/* A map of headers (or of variables for a child), none of them a credential written out. */
const struct pair *config_pairs(struct loader *, const struct yaml_node *map, bool headers, size_t *n);
void config_read_agents(struct loader *, const struct yaml_node *);
void config_read_env(struct loader *);
void config_read_flags(struct loader *);

/* Reads all profiles of the file; faults for each that is broken. */
void config_read_profiles(struct loader *, const struct yaml_node *);
/* The profile of that name, of the file or built in; NULL when there is none or it is broken (with a fault at `at`). */
struct profile *config_profile(struct loader *, struct slice name, struct origin at);
/* The keys of one profile. */
void config_read_layer(struct loader *, const struct yaml_node *, struct layer *);
/* One prefix in canonical form; a fault at `at` otherwise. */
bool config_prefix(struct loader *, struct slice raw, struct origin at, struct prefix *out);

/* Sets the headers by which vaults are told the tenant their agents are locked to; faults where one cannot do for all. */
void config_lock_tenants(struct loader *);

/* --- config_narrow.c: intersections ------------------------------------------------------------------------------- */

/* Nothing narrowed but unknown tools: what a profile starts from that extends none. */
struct profile profile_blank(void);
/* Puts a layer on a profile. `orphan`: it has no parent, so it may say what it likes; else a widening is a fault. */
void profile_apply(struct loader *, struct profile *, const struct layer *, bool orphan);
/* What a profile says, as a layer that never widens: for the intersection of two profiles. */
struct layer profile_as_layer(const struct profile *);

/* --- config_effective.c: what agents really get ------------------------------------------------------------------- */

/* The profile of everybody who has no other: of the command line, the file, or the environment. NULL after a fault. */
struct profile *config_default_profile(struct loader *);
/* Puts `--profile`, the environment and the flags on the profiles in use; fills `effective` and the absent guards. */
void config_make_effective(struct loader *, struct profile **, size_t n);

#endif
