/*
 * The header fields of an answer that mean something to us; all others are counted and forgotten, and none is passed
 * on.
 */
#ifndef NARROWGATE_UPSTREAM_HTTP_FIELD_H
#define NARROWGATE_UPSTREAM_HTTP_FIELD_H

#include "upstream/http_answer.h"

/* A piece of a field's name; the first piece after a value begins a new field. */
void http_field_name(struct http_answer *, struct slice piece);
/* A piece of its value. False: too long for a field that matters. */
bool http_field_value(struct http_answer *, struct slice piece);
/* The value is complete. False: the field contradicts another, or says what is not accepted. */
bool http_field_take(struct http_answer *);
/* Forgets all fields. */
void http_field_reset(struct http_answer *);

#endif
