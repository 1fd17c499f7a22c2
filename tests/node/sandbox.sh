#!/bin/bash
# The program works within the confines of its unit, and an intruder in it can do nothing else.
# check: no, one booted node is enough there
# time-limit: 300
# nodes: 2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

node_new a installed
node_new b
for i in {20..39}; do
	near b ip addr add "10.77.0.$i/24" dev eth0
	near b ip -6 addr add "fd77::$i/64" dev eth0 nodad
done
near a ip addr add 10.77.0.201/24 dev eth0
echo 'nameserver 127.0.0.1' >"$(root_of a)/etc/resolv.conf"
printf '%s\n' '10.77.0.22 hosts.test' 'fd77::22 hosts6.test' >>"$(root_of a)/etc/hosts"
printf '%s\n' 'dns.test A 10.77.0.23' 'dns6.test AAAA fd77::23' 'many[1-9].test A 10.77.0.31+' >zone
near a "$TOOLS/dnsd" -z zone -r dns.ready -l dns.log &
wait_until 10 test -e dns.ready
near a nft -f - <<'NFT'
table inet t {
	counter marked { }
	counter sourced { }
	counter classed { }
	chain out {
		type filter hook output priority 0
		ip daddr 10.77.0.26 meta mark 7 icmp type echo-request counter name marked
		ip daddr 10.77.0.25 ip saddr 10.77.0.201 icmp type echo-request counter name sourced
		ip daddr 10.77.0.27 ip dscp ef icmp type echo-request counter name classed
	}
}
NFT
configure a <<'INI'
[probe]
count = 3
interval = 20ms
warmup = 0
[collector]
resolve_every = 0s
[peers]
v4 = 10.77.0.21
v6 = fd77::21
hosts = hosts.test
hosts6 = hosts6.test
dns = dns.test
dns6 = dns6.test
[peers many]
many1.test =
many2.test =
many3.test =
many4.test =
many5.test =
many6.test =
many7.test =
many8.test =
many9.test =
[peers device]
v4 = 10.77.0.24
v6 = fd77::24
[probe device]
device = eth0
[peers source]
v4 = 10.77.0.25
[probe source]
source = 10.77.0.201
[peers class]
v4 = 10.77.0.27
[probe class]
dscp = ef
INI
node_boot a
stop_timer a
counted() { near a nft list counter inet t "$1" | grep -o 'packets [0-9]*' | cut -d ' ' -f 2; }
is_up() { assert_eq 1 "$(metric a "nodecanary_peer_up{group=\"$1\",peer=\"$2\"}")" "$2 of $1"; }

behaviour "IPv4 and IPv6"
run_unit a
is_up default v4
is_up default v6

behaviour "names in /etc/hosts"
is_up default hosts
is_up default hosts6

behaviour "names in DNS, many at once"
is_up default dns
is_up default dns6
for i in {1..9}; do is_up many "many$i.test"; done
assert_file_contains dns.log '^dns.test A$'
assert_eq 1 "$(metric a 'nodecanary_peer_resolved{group="default",peer="dns"}')"

behaviour "a device, a source address, a class: with threads for groups that differ"
is_up device v4
is_up device v6
is_up source v4
is_up class v4
assert_eq 3 "$(counted sourced)" "requests from that address"
assert_eq 3 "$(counted classed)" "requests of that class"
journal_is_empty a

# Linux 5.17 and later let CAP_NET_RAW set it.
IFS=. read -r major minor _ <<<"$(uname -r)"
if [ "$major" -gt 5 ] || { [ "$major" -eq 5 ] && [ "${minor%%[!0-9]*}" -ge 17 ]; }; then
	behaviour "a firewall mark, with no other capability"
else
	behaviour "a firewall mark, with CAP_NET_ADMIN added as the unit says"
	drop_in a nodecanary.service <<<'[Service]
AmbientCapabilities=CAP_NET_ADMIN
CapabilityBoundingSet=CAP_NET_ADMIN'
fi
printf '%s\n' '[peers mark]' 'v4 = 10.77.0.26' '[probe mark]' 'mark = 7' \
	>"$(root_of a)$INI_D/mark.ini"
run_unit a
is_up mark v4
assert_eq 3 "$(counted marked)" "requests with that mark"
journal_is_empty a

behaviour "the filter refuses no system call of a run"
drop_in a nodecanary.service <<<'[Service]
SystemCallErrorNumber='
run_unit a
# The children that look names up are part of it.
for name in hosts hosts6 dns dns6; do
	is_up default "$name"
	assert_eq 1 "$(metric a "nodecanary_peer_resolved{group=\"default\",peer=\"$name\"}")" "$name resolved"
done
is_up device v4
is_up mark v4
assert_eq 0 "$(unit a ExecMainStatus)"
journal_is_empty a

# Code of an attacker in the process, which acts when the run is about to publish.
result=$(root_of a)/var/lib/nodecanary/intruder
cp "$TOOLS/intruder_shim.so" "$(root_of a)/usr/local/lib/"
preload='Environment=LD_PRELOAD=/usr/local/lib/intruder_shim.so INTRUDER_OWN=/var/lib/nodecanary
Environment=INTRUDER=/var/lib/nodecanary/intruder INTRUDER_ROOT=/'
on a sh -c 'echo x >/tmp/of-nobody; chmod 666 /tmp/of-nobody; chown nodecanary /tmp/of-nobody'
# run_intruder LINE...: with these lines in the drop-in.
run_intruder() {
	rm -rf "${result%/*}"/intruder* "${result%/*}/copy"
	printf '%s\n' '[Service]' "$preload" "$@" | drop_in a nodecanary.service
	run_unit a
	assert_file_contains "$result" '^done$'
}

if on a nodecanary -n -v 2>&1 | grep -q 'not confined by Landlock'; then
	behaviour "an intruder can write only to the state directory # SKIP this kernel has no Landlock"
else
	behaviour "an intruder in the program can write to its state directory, so it is at work"
	run_intruder
	assert_file_contains "$result" '^wrote to /var/lib/nodecanary/intruder-was-here$'

	behaviour "it can write, create, remove and rename nothing elsewhere"
	! grep -E '^(wrote|made|moved|removed)' "$result" | grep -v '^wrote to /var/lib/nodecanary/' >escapes ||
		fail "expected nothing but /var/lib/nodecanary; $(_show escapes)"

	behaviour "it can execute nothing: no program, not itself, no copy, no memory"
	assert_not_contains "$result" '^executed'
fi

behaviour "an intruder can open no socket but those of Unix, IPv4, IPv6 and netlink"
[ -e "$result" ] || run_intruder
assert_eq '1 2 10 16' "$(sed -n 's/^opened family //p' "$result" | xargs)"

behaviour "it has CAP_NET_RAW and can get nothing more"
for set in Eff Prm Bnd Amb; do
	assert_file_contains "$result" "^Cap$set:[[:space:]]0000000000002000\$"
done
assert_file_contains "$result" '^NoNewPrivs:[[:space:]]1$'
assert_file_contains "$result" '^Seccomp:[[:space:]]2$'
assert_not_contains "$result" '^gained'

behaviour "where there is no Landlock the run is the same, and the rights of its user are the limit"
drop_in a nodecanary.service <<<'[Service]
SystemCallFilter=~landlock_create_ruleset'
run_unit a
is_up default dns
assert_eq 0 "$(unit a ExecMainStatus)"
journal_is_empty a
run_intruder 'SystemCallFilter=~landlock_create_ruleset'
assert_file_contains "$result" '^wrote to /tmp/intruder-was-here$'
assert_file_contains "$result" '^executed a program$'
assert_not_contains "$result" '^executed a file in memory|^gained|^wrote to /(etc|usr|boot|root|home)'
on a journalctl --quiet --rotate
on a journalctl --quiet --vacuum-time=1us >/dev/null 2>&1 # it ran the program, too
rm -f "$(root_of a)"/tmp/intruder-was-here* "${result%/*}"/{copy,intruder*}

mkdir -p "$(root_of a)/etc/systemd/system/nodecanary.service.d"
cp "$(root_of a)/usr/share/doc/nodecanary/mount-sandbox.conf" "$(root_of a)/etc/systemd/system/nodecanary.service.d/"
behaviour "the program works in the sandbox of mounts, too"
drop_in a nodecanary.service </dev/null
run_unit a
is_up default dns
is_up device v4
journal_is_empty a

behaviour "nothing but the program can be executed there"
drop_in a nodecanary.service <<<'[Service]
ExecStart=
ExecStart=/bin/true'
! run_unit a 2>/dev/null || fail "it was executed"
assert_eq 203 "$(unit a ExecMainStatus)" "status (203 is EXEC)"

# A shell in its place, which tries as hard as it can.
cat >"$(root_of a)/usr/local/bin/intruder" <<'SH'
#!/bin/sh
exec >/var/lib/nodecanary/intruder 2>/dev/null
find / -path /proc -prune -o \( -type d -o -type f \) -writable -print | sed 's/^/writable /'
for dir in / /bin /boot /dev /dev/mqueue /dev/shm /etc /etc/nodecanary /home /lib /mnt /opt /proc /root \
	/run /run/lock /run/systemd /srv /sys /sys/fs/cgroup /sys/kernel /tmp /usr /usr/sbin /var /var/cache \
	/var/lib /var/lib/prometheus /var/lib/prometheus/node-exporter /var/log /var/spool /var/tmp; do
	(echo x >"$dir/intruder-was-here") && echo "wrote to $dir"
done
for file in /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger /dev/kmsg \
	/etc/passwd /etc/nodecanary/nodecanary.ini /usr/sbin/nodecanary /sys/kernel/mm/ksm/run; do
	(echo 0 >>"$file") && echo "wrote to $file"
done
mkdir /var/lib/nodecanary/m
mount -t tmpfs none /var/lib/nodecanary/m && echo "mounted"
chmod u+s /var/lib/nodecanary/intruder && echo "set a user id"
unshare -Ur true && echo "made a user namespace"
ls /home/secret /root/secret && echo "saw homes"
rmdir /var/lib/nodecanary/m
ls -d /proc/[0-9]* | grep -v "^/proc/$$\$" | grep -q '^/proc/1$' && echo "sees the processes of others"
echo done
SH
chmod 755 "$(root_of a)/usr/local/bin/intruder"
mkdir -p "$(root_of a)/home/secret" "$(root_of a)/root/secret"
chmod 755 "$(root_of a)/root"

behaviour "a shell can write to the state directory and nowhere else, with the sandbox of mounts"
drop_in a nodecanary.service <<<'[Service]
ExecStart=
ExecStart=/usr/local/bin/intruder
NoExecPaths=
ExecPaths='
run_unit a
assert_file_contains "$result" '^done$'
grep -E '^(writable|wrote)' "$result" | grep -vE '^writable /var/lib/nodecanary($|/)' >escapes || true
[ ! -s escapes ] || fail "expected nothing but /var/lib/nodecanary; $(_show escapes)"

assert_not_contains "$result" '^(mounted|set a|made a|saw|sees)'
rm "$(root_of a)/etc/systemd/system/nodecanary.service.d/mount-sandbox.conf"

behaviour "the file can be published elsewhere, with the drop-in that the unit shows"
unit_file=$(root_of a)/lib/systemd/system/nodecanary.service
sed -n 's/^#       //p' "$unit_file" | awk '/^\[Service\]/ { n++ } n == 2' >shown
assert_file_contains shown '^ExecStart=.* -o /srv/textfile/nodecanary.prom$'
drop_in a nodecanary.service <shown
on a install -d -o nodecanary /srv/textfile
run_unit a
assert_eq 1 "$(value "$(root_of a)/srv/textfile/nodecanary.prom" nodecanary_last_run_success)"

done_testing
