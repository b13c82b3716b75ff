/*
 * Errors of the lower floors: one list, static texts. Low floors return them; proxy/ logs, once.
 */
#ifndef NARROWGATE_BASE_ERR_H
#define NARROWGATE_BASE_ERR_H

#define ERRS(X)                                                              \
	X(OK, "ok")                                                          \
	X(NOMEM, "out of memory")                                            \
	X(TOO_BIG, "over the size limit")                                    \
	X(TOO_DEEP, "nested too deeply")                                     \
	X(TOO_MANY, "too many members or items")                             \
	X(SYNTAX, "not valid JSON")                                          \
	X(UTF8, "not valid UTF-8")                                           \
	X(NUL, "a NUL character in a name")                                  \
	X(DUPLICATE, "a member name appears twice")                          \
	X(NUMBER, "a number outside what JSON parsers agree on")             \
	X(TRAILING, "bytes behind the message")                              \
	X(ENVELOPE, "not a JSON-RPC 2.0 message")                            \
	X(BATCH, "a batch, which this protocol revision does not have")      \
	X(ID, "the id is not a string or an integer")                        \
	X(MEMBER, "an unknown member")                                       \
	X(FRAMING, "broken framing")                                         \
	X(FULL, "the table is full")                                         \
	X(NOT_FOUND, "not found")                                            \
	X(INVALID, "invalid value")                                          \
	X(IO, "input or output failed")

enum err {
#define X(name, text) E_##name,
	ERRS(X)
#undef X
};

/* The static English text of an error; never NULL. */
const char *err_text(enum err e);

#endif
