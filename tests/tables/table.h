/*
 * What a line of a table does: one world of policy, catalog, ledger and toolbook, and the last judgement in it.
 */
#ifndef NARROWGATE_TESTS_TABLE_H
#define NARROWGATE_TESTS_TABLE_H

#include "guards/judge.h"

#define TABLE_LIST 16

struct table {
	const char *file;
	unsigned line, rows, failed;
	struct slice id;
	struct arena arena;         /* of the case */
	struct arena catalog_arena;
	struct catalog *catalog;
	struct ledger *ledger;
	struct toolbook *tools;
	struct pins *accepted;
	struct policy policy;
	struct prefix allowed[TABLE_LIST], denied[TABLE_LIST];
	struct slice tools_allow[TABLE_LIST], tools_deny[TABLE_LIST];
	struct glob_layer globs;
	uint64_t now_ms;
	bool value_open;
	bool tasks;                 /* requests declare that their client knows tasks */
	struct rpc *rpc;
	enum err unread;            /* why the last call could not even be read */
	struct call *call;
	struct judgement judgement;
	bool refused;               /* the last call was */
	enum method asked;          /* by the vault, last */
	struct slice answer;        /* what the agent gets: the text of a text item, or the message */
	bool answered;
	bool *called;               /* by the catalog's tools; NULL: no `knows:` */
	bool stateless;             /* requests are those of a stateless revision, where it has them */
};

void table_open(struct table *);
void table_close(struct table *);
/* Forgets the case; the catalog stays. */
void table_fresh(struct table *);
void table_drop_catalog(struct table *);
void table_fail(struct table *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Cuts the first word off, and the blanks behind it. */
struct slice table_word(struct slice *rest);
struct view table_view(struct table *);

void table_catalog(struct table *, struct slice name_or_yaml);
/* The names of every tool the catalog has, and no other; each of them must be called before the next catalog. */
void table_knows(struct table *, struct slice names);
/* Fails for each tool of the last `knows:` that no row called. */
void table_all_called(struct table *);
/* key=value …; `.`: nothing is narrowed. */
bool table_policy(struct table *, struct slice);
/* `none`, or name(arg,arg) …: the vault's own tool list, complete. */
void table_tools(struct table *, struct slice);
/* One line of the operator's pins file, which has no other. */
void table_pins(struct table *, struct slice);
/* Stands in the next line that the pins tell the operator; `nothing`: there is none. */
void table_told(struct table *, struct slice);
/* TOOL key=value …, METHOD key=value …, a whole message, or `bytes` and whatever stands behind it. */
bool table_call(struct table *, struct slice);
/* pass, deny WORD, drop WORD, need-tools, unread TEXT, rewrite TEXT…: TEXT stands in what goes on. */
void table_verdict(struct table *, struct slice);
/* The vault answers the last call: learned from, then judged. */
void table_text(struct table *, struct slice);
void table_result(struct table *, struct slice);
void table_error(struct table *, struct slice);
/* The vault speaks by itself. */
void table_notice(struct table *, struct slice);
/* The agent answers what the vault asked last, with that result. */
void table_reply(struct table *, struct slice);
/* deny WORD, drop WORD, or the exact text (for `text:`), result, error or message that the agent gets. */
void table_expect(struct table *, struct slice);
/* The text stands in the refusal. */
void table_refusal(struct table *, struct slice);
/* The guard that decided; `none`. */
void table_guard(struct table *, struct slice);
/* Milliseconds go by. */
void table_later(struct table *, struct slice);

#endif
