/*
 * Letters of other scripts that imitate an ASCII letter or digit, after the data of Unicode TS #39, thinned to scripts
 * that fonts draw alike. Asked on case-folded, decomposed text, so capitals and full-width forms need no rows.
 */
#ifndef NARROWGATE_BASE_CONFUSABLES_H
#define NARROWGATE_BASE_CONFUSABLES_H

#include <stdint.h>

/* The ASCII letter or digit that c imitates, in lower case; c itself when it imitates none. */
uint32_t confusable_letter(uint32_t c);

#endif
