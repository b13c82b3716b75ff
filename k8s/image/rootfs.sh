#!/bin/sh
# rootfs.sh BINARY DIR: the binary with its library closure, CA certificates and name service files, as a root file system.
set -eu
binary=$1 root=$2
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/tmp"
cp "$binary" "$root/usr/bin/narrowgate"
# libnss_dns and libnss_files are part of libc since glibc 2.34; ldd names everything else, the loader included.
ldd "$binary" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | sort -u | while read -r lib; do
  mkdir -p "$root$(dirname "$lib")"
  cp -L "$lib" "$root$lib"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'narrowgate:x:18808:18808:narrowgate:/:/sbin/nologin\n' >"$root/etc/passwd"
