/* Whether this is a build with AddressSanitizer: 1 or 0. */
#ifndef NARROWGATE_BASE_ASAN_H
#define NARROWGATE_BASE_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define NARROWGATE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NARROWGATE_ASAN 1
#endif
#endif
#ifndef NARROWGATE_ASAN
#define NARROWGATE_ASAN 0
#endif

#endif
