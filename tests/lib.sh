# Shared by ./check and ./demo: packages, builds, and counting. Sourced, not run.

BUILD_PACKAGES=(gcc meson ninja-build pkg-config python3 libuv1-dev libssl-dev libcurl4-openssl-dev node-llhttp libyaml-dev
  libpcre2-dev libutf8proc-dev ca-certificates)
TEST_PACKAGES=(procps libcmocka-dev libjansson-dev libcjson-dev libyajl-dev clang-14 libclang-rt-14-dev llvm-14 openssl curl git)

PASSED=0
FAILED=0
FAILURES=()

step() { printf '\n== %s\n' "$*"; }
fail_hard() { printf '%s\n' "$*" >&2; FAILED=$((FAILED + 1)); FAILURES+=("$*"); finish; }

count() { # count pass|fail NAME
  if [ "$1" = pass ]; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); FAILURES+=("$2"); printf 'FAILED: %s\n' "$2"; fi
}

finish() {
  if [ "$FAILED" -gt 0 ]; then printf '\nFailed:\n'; printf '  %s\n' "${FAILURES[@]}"; fi
  printf '\n%d passed, %d failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
  exit
}

# Installs the Debian packages that are missing; quick when none is.
install_packages() {
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" = "install ok installed" ] || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    printf 'These Debian packages are missing: %s\nRun as root, or: apt-get install %s\n' "${missing[*]}" "${missing[*]}" >&2
    return 1
  fi
  step "installing ${missing[*]}"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_node_packages DIR MAJOR: the npm packages of a folder by its lockfile (again only when that has changed), and NODE set
# to a Node.js of at least that major version: the system's, or one from npm.
install_node_packages() {
  local dir=$1 major=$2
  command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm || return 1
  npm_ci "$dir" || return 1
  NODE=$(command -v node)
  if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$major" ]; then
    npm_ci "$dir/node22" || return 1
    NODE=$(ls "$PWD/$dir"/node22/node_modules/node-linux-*/bin/node | head -1)
  fi
  export NODE
}

npm_ci() {
  local stamp=$1/node_modules/.narrowgate-lock
  cmp -s "$1/package-lock.json" "$stamp" && return 0
  step "npm ci in $1"
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) && cp "$1/package-lock.json" "$stamp"
}

# Runs a command; shows the end of its output only when it fails.
quietly() {
  local log status
  log=$(mktemp)
  "$@" >"$log" 2>&1
  status=$?
  [ $status -eq 0 ] || tail -40 "$log"
  rm -f "$log"
  return $status
}

# configure DIR MESON-OPTION…: once.
configure() {
  [ -f "$1/build.ninja" ] || quietly meson setup "$@"
}

# build_in DIR MESON-OPTION…
build_in() {
  configure "$@" && quietly ninja -C "$1"
}

# Every cmocka test of every executable counts as one; an executable without cmocka's lines counts as one.
run_meson_tests() {
  local log=$1/meson-logs/testlog.txt name
  meson test -C "$1" --no-rebuild --print-errorlogs >"$1/test-output.txt" 2>&1 || tail -60 "$1/test-output.txt"
  local ok
  ok=$(grep -c '^\[       OK \]' "$log")
  PASSED=$((PASSED + ok))
  # meson's own verdict decides: a crash or a leak prints no cmocka line.
  while read -r name; do
    [ -z "$name" ] || count fail "$name"
  done < <(sed -nE 's/^ *[0-9]+\/[0-9]+ +(.*[^ ]) +(FAIL|ERROR|TIMEOUT|UNEXPECTEDPASS) .*/\1/p' "$1/test-output.txt" | sort -u)
  printf '%d tests ok, %d failed\n' "$ok" "$FAILED"
  [ "$ok" -gt 0 ] || count fail "no unit test ran"
}

# run_each FILE…: each is a test of its own.
run_each() {
  local t
  for t in "$@"; do
    if bash "$t"; then count pass "$t"; else count fail "$t"; fi
  done
}

# Each fuzz target for a few seconds, from its corpus: `fuzz_json_cjson` reads corpus/json.
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
run_fuzzers() {
  local targets t
  CC=clang-14 configure build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false || { count fail "the fuzz build"; return; }
  targets=$(ninja -C build-fuzz -t targets all | sed -n 's/^\(tests\/fuzz\/fuzz_[a-z_]*\): .*/\1/p')
  [ -n "$targets" ] || { count fail "no fuzz target"; return; }
  # shellcheck disable=SC2086
  quietly ninja -C build-fuzz $targets || { count fail "the fuzz build"; return; }
  for t in $targets; do run_fuzzer "build-fuzz/$t"; done
}

run_fuzzer() {
  local name corpus scratch
  name=$(basename "$1"); scratch=$(mktemp -d)
  corpus=${name#fuzz_}
  while [ -n "$corpus" ] && [ ! -d "tests/fuzz/corpus/$corpus" ]; do
    case $corpus in *_*) corpus=${corpus%_*} ;; *) corpus= ;; esac
  done
  if "$1" -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$scratch/" "$scratch" \
    ${corpus:+"tests/fuzz/corpus/$corpus"} >"$scratch/log" 2>&1; then
    count pass "$name"
  else
    tail -30 "$scratch/log"; count fail "$name"
  fi
  rm -rf "$scratch"
}

# run_node_tests DIR: the tests of a folder with node's own runner, its totals added to ours.
run_node_tests() {
  local out ok bad
  out=$(mktemp)
  (cd "$1" && NARROWGATE=${NARROWGATE:-../../build-check/narrowgate} "$NODE" --test --test-concurrency=2 \
    --test-reporter=tap ./*.test.mjs) >"$out" 2>&1
  ok=$(sed -n 's/^# pass //p' "$out"); bad=$(sed -n 's/^# fail //p' "$out")
  if [ "${bad:-1}" != 0 ]; then grep -E '^ *not ok' "$out"; grep -B2 -A25 '^ *not ok' "$out" | tail -150; fi
  PASSED=$((PASSED + ${ok:-0}))
  for _ in $(seq 1 "${bad:-1}"); do FAILED=$((FAILED + 1)); done
  [ "${bad:-1}" = 0 ] || FAILURES+=("$(grep -E '^ *not ok' "$out" | sed 's/^ *not ok [0-9]* - //' | head -20)")
  [ "${ok:-0}" -gt 0 ] || count fail "no test of $1 ran"
  rm -f "$out"
}

# The given port if nobody listens there, else any free one.
free_port() {
  python3 - "$1" <<'PY'
import socket, sys
for port in (int(sys.argv[1]), 0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", port)); print(s.getsockname()[1]); break
    except OSError:
        pass
PY
}
