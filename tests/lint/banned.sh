#!/usr/bin/env bash
# Functions we do not use, mutable globals we do not have.
set -u
cd "$(dirname "$0")/../.." || exit 2
bad=0
rooms=(base mcp policy guards upstream proxy)
for r in "${rooms[@]}"; do
  if grep -HnE '\b(strtok|sprintf|vsprintf|strcpy|strcat|strncpy|atoi|atol|atof|gets|rand|system|popen|alloca|localtime|gmtime) ?\(' "$r"/*.c; then
    echo "  a banned function in $r/"; bad=1
  fi
done
# `static` data outside functions must be const; the log's level is the one exception.
for r in "${rooms[@]}"; do
  if grep -HnE '^(static )?[a-z_ ]+[*]?[a-z_]+(\[[^]]*\])* *(=|;)' "$r"/*.c | grep -vE ':(static )?(const|_Atomic|extern|typedef|return|goto|break|struct [a-z_]+;|enum [a-z_]+;)|\bconst\b|_Atomic|^base/log\.c:[0-9]*:static enum log_level '; then
    echo "  a mutable global in $r/"; bad=1
  fi
done
exit $bad
