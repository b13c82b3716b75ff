/*
 * The sidecar as a front: who calls, which vault, which conversation; then the exchange takes over.
 */
#ifndef NARROWGATE_PROXY_SIDECAR_H
#define NARROWGATE_PROXY_SIDECAR_H

#include "proxy/app.h"

extern const struct front_ops sidecar_ops;

#endif
