# shellcheck shell=bash
# What all tests share that are written in shell: how they fail, how they are skipped, and a network of their own.

# fail MESSAGE: the behaviour or check that is running fails, and what it is part of ends.
fail() {
	[ -z "${_failed:-}" ] || : >"$_failed"
	printf '%s\n' "$*" "    at $(_where)" >&"${_messages:-2}"
	exit 1
}

# skip REASON: a behaviour or check that has begun is neither ok nor not ok.
skip() {
	if [ -e "${_failed:-}" ]; then exit 1; fi
	printf '%s\n' "$*" >&"${_results:-1}"
	exit 77
}

# need COMMAND...: skips where one of them is missing.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

# The line of the test, not of a library.
_where() {
	local i
	for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
		case ${BASH_SOURCE[i]} in
		*/tests/lib/* | */../lib/* | *lib.sh) ;;
		*)
			echo "${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"
			return
			;;
		esac
	done
}

_show() {
	echo "--- $1:"
	tail -n 40 "$1" 2>&1 || true
	echo "---"
}

# isolated COMMAND...: as root, with a network of its own in which only loopback is up.
isolated() {
	local own=(unshare --net --mount)
	if [ "$(id -u)" -ne 0 ]; then own+=(--user --map-root-user); fi
	"${own[@]}" true 2>/dev/null || skip "no namespaces"
	# shellcheck disable=SC2016 # the inner shell expands it
	"${own[@]}" bash -c 'ip link set lo up && exec "$@"' - "$@"
}
