#!/bin/sh
# rootfs.sh BINARY DIR: the binary with its library closure, CA certificates and name service files, as a root file system.
set -eu
binary=$1 root=$2
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/tmp"
cp "$binary" "$root/usr/bin/narrowgate"
# libcurl is loaded once a vault on HTTP is configured, so ldd does not see that narrowgate needs it.
curl=$(ldconfig -p | sed -n "s/.*libcurl\.so\.4 .*=> //p" | head -n1)
[ -n "$curl" ] || { echo "rootfs.sh: libcurl.so.4 is not installed" >&2; exit 1; }
# libnss_dns and libnss_files are part of libc since glibc 2.34; ldd names everything else, the loader included.
{ echo "=> $curl"; ldd "$binary" "$curl"; } | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | sort -u | while read -r lib; do
  mkdir -p "$root$(dirname "$lib")"
  cp -L "$lib" "$root$lib"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'narrowgate:x:18808:18808:narrowgate:/:/sbin/nologin\n' >"$root/etc/passwd"
