#!/usr/bin/env bash
# Who may include whom: no arrow climbs, and no loop, socket or clock below the two rooms that own them.
set -u
cd "$(dirname "$0")/../.." || exit 2
declare -A MAY=(
  [base]="base" [mcp]="mcp base" [policy]="policy base" [guards]="guards policy mcp base"
  [upstream]="upstream mcp base" [proxy]="proxy guards upstream policy mcp base")
bad=0

for room in "${!MAY[@]}"; do
  while IFS=: read -r file line text; do
    to=$(sed -n 's/.*#include "\([a-z]*\)\/.*/\1/p' <<<"$text")
    if [ -z "$to" ] || ! grep -qw "$to" <<<"${MAY[$room]}"; then
      echo "$file:$line: $room/ may not include ${text#*include }"; bad=1
    fi
  done < <(grep -Hn '#include "' "$room"/*.[ch])
done

# System headers that only some rooms may touch.
check_system() { # PATTERN, rooms that may
  local pattern=$1 room; shift
  for room in "${!MAY[@]}"; do
    grep -qw "$room" <<<"$*" && continue
    grep -HnE "#include <($pattern)" "$room"/*.[ch] && { echo "  not in $room/"; bad=1; }
  done
}
check_system 'uv\.h' proxy upstream
check_system 'curl/' upstream
check_system 'sys/socket|netinet/|netdb|poll\.h|sys/epoll' proxy upstream
check_system 'openssl/' proxy upstream base
# TLS for agents is the matter of proxy/tls*.c; for vaults libcurl does it.
grep -HnE '#include <openssl/' upstream/*.[ch] proxy/*.[ch] | grep -vE '^proxy/(tls[a-z_]*\.[ch]|harden\.c|main\.c):' && { echo "  OpenSSL outside of proxy/tls*.c"; bad=1; }
check_system 'llhttp' proxy upstream
check_system 'yaml\.h|pcre2' policy proxy
# Clocks: time is passed in below. The log's time stamp is the one exception.
for room in base mcp policy guards; do
  grep -HnE '\b(clock_gettime|gettimeofday|time) ?\(' "$room"/*.c | grep -v '^base/log\.c:' && { echo "  a clock in $room/"; bad=1; }
done
exit $bad
