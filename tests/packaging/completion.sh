#!/bin/bash
# In bash, zsh and fish the command line completes options, files and directories.
# shellcheck disable=SC2317 # called by check
# shellcheck source=tests/packaging/lib.sh
. "$(dirname "$0")/lib.sh"

NC=$BUILD/nodecanary
export TERM=dumb
export HOME=$TMP XDG_CONFIG_HOME=$TMP XDG_DATA_HOME=$TMP XDG_CACHE_HOME=$TMP

# What is completed, and from where. The program is one that notes how it is called: bash calls it,
# as a completed line is entered there; nothing else may.
prepare() {
	mkdir -p "$TMP/completions" "$TMP/zsh" "$TMP/fish" "$TMP/bin" "$TMP/offered" "$TMP/typed/directory"
	cp "$TOP/packaging/completion/nodecanary.bash" "$TMP/completions/nodecanary"
	cp "$TOP/packaging/completion/_nodecanary" "$TMP/zsh"
	cp "$TOP/packaging/completion/nodecanary.fish" "$TMP/fish"
	touch "$TMP"/typed/{a.ini,b.prom,c.txt}
	cat >"$TMP/bin/nodecanary" <<-SCRIPT
		#!/bin/sh
		printf '%s\n' CALL "\$@" >>'$TMP/calls'
	SCRIPT
	chmod 755 "$TMP/bin/nodecanary"
	cat >"$TMP/bashrc" <<-SCRIPT
		BASH_COMPLETION_USER_DIR='$TMP'
		. /usr/share/bash-completion/bash_completion
		PATH='$TMP/bin':\$PATH
		cd '$TMP/typed'
	SCRIPT
	# What completion hands to the line editor is noted.
	cat >"$TMP/inner.zsh" <<-SCRIPT
		PROMPT= RPROMPT=
		fpath=('$TMP/zsh' \$fpath)
		path=('$TMP/bin' \$path)
		autoload -U compinit && compinit -u -d '$TMP/zcompdump'
		bindkey -e
		bindkey '^I' complete-word
		compadd() {
			local -a found
			if [[ \${@[1,(i)(-|--)]} != *-[OAD]\ * ]]; then
				builtin compadd -O found "\$@"
				(( ! \$#found )) || print -rl -- \$found >>'$TMP/matches'
			fi
			builtin compadd "\$@"
		}
		all_offered() { comppostfuncs=(all_offered); print ALL-OFFERED }
		comppostfuncs=(all_offered)
		cd '$TMP/typed'
		print SHELL-IS-READY
	SCRIPT
	# Each line is typed, completed, and deleted.
	cat >"$TMP/outer.zsh" <<-'SCRIPT'
		zmodload zsh/zpty
		directory=$1
		shift
		zpty shell zsh -f -i
		zpty -w shell "source ${(q)directory}/inner.zsh"
		zpty -r shell out '*SHELL-IS-READY*' || exit 1
		for line; do
			: >$directory/matches
			zpty -n -w shell "$line"$'\t'
			zpty -r shell out '*ALL-OFFERED*' || exit 1
			mv $directory/matches $directory/offered/$((++n))
			zpty -n -w shell $'\C-u'
		done
		zpty -d shell
	SCRIPT
}

# in_bash KEYS... (each for printf %b): what is noted of the calls of `nodecanary` that they make.
in_bash() {
	: >"$TMP/calls"
	{ printf '%b\n' "$@" && echo exit; } | timeout 30 script -qec \
		"bash --noprofile --rcfile '$TMP/bashrc' -i" /dev/null >"$TMP/screen" 2>&1 || return
	[ "$(grep -cx CALL "$TMP/calls")" = $# ]
}

# M-* puts all that is offered into the line, after the words that are there.
ask_bash() {
	in_bash "${@/%/\\e*}" || return
	awk -v directory="$TMP/offered" '
		FNR == NR { typed[FNR] = split($0, words, " ") - / ?[^ ]+$/; next }
		$0 == "CALL" { file = directory "/" ++n; printf "" >file; word = 0; next }
		++word >= typed[n] { print >file }' <(printf '%s\n' "$@") "$TMP/calls"
}

ask_zsh() { timeout 30 zsh -f "$TMP/outer.zsh" "$TMP" "$@" >"$TMP/screen" 2>&1; }

ask_fish() {
	# shellcheck disable=SC2016 # fish expands it
	(cd "$TMP/typed" && PATH=$TMP/bin:$PATH timeout 30 fish --no-config -c '
		set -p fish_complete_path $argv[1]/fish
		set n 0
		for line in $argv[2..]
			set n (math $n + 1)
			complete -C $line | cut -f 1 >$argv[1]/offered/$n
		end' "$TMP" "$@" >"$TMP/screen" 2>&1)
}

# ask SHELL LINE...: what is offered after each line is in $TMP/offered/1, $TMP/offered/2 ... One
# shell answers all of them, as its start is what costs.
ask() {
	local shell=$1
	shift
	rm -f "$TMP"/offered/*
	"ask_$shell" "$@" || fail "no answer: $(cat -v "$TMP/screen")"
	[ "$(find "$TMP/offered" -type f | wc -l)" = $# ] || fail "not all is answered: $(cat -v "$TMP/screen")"
	lines=("$@")
}

# offered N WORD...: what was offered after line N is this. `*` as the first word: this and more.
# Directories come with and without a slash, arguments with and without their option.
offered() {
	local n=$1 more=cat line=${lines[$1 - 1]}
	shift
	if [ "${1-}" = '*' ]; then
		shift
		more="grep -xF $(printf -- '-e %s ' "$@")"
	fi
	printf '%s\n' "$@" | sort >"$TMP/expected"
	sed 's/^--[a-z-]*=//; s,/$,,; /^$/d' "$TMP/offered/$n" | $more | sort -u >"$TMP/actual"
	diff -u --label "$line: expected" --label "$line: offered" "$TMP/expected" "$TMP/actual"
}

# offers SHELL "LINE|LINE..." WORD...: after each of the lines.
offers() {
	local shell=$1 typed n
	IFS='|' read -ra typed <<<"$2"
	shift 2
	ask "$shell" "${typed[@]}"
	for n in "${!typed[@]}"; do offered $((n + 1)) "$@" || return; done
}

# lacks N WORD...: something was offered after line N, but none of these.
lacks() {
	local file=$TMP/offered/$1
	[ -s "$file" ] || fail "nothing is offered after ${lines[$1 - 1]}"
	shift
	! grep -xF -e "$(printf '%s\n' "$@")" "$file"
}

# The options as --help has them, one a line; `long` or `short`: these alone.
options() {
	"$NC" --help | sed -nE 's/^  (-[a-zA-Z],|   ) (--[a-z-]*).*/\1\n\2/p' |
		sed 's/,$//; /^ *$/d' |
		case ${1-} in
		long) grep -e -- ;;
		*) cat ;;
		esac
}

all_options() { mapfile -t words < <(options) && [ ${#words[@]} -ge 22 ] && offers "$1" 'nodecanary -' "${words[@]}"; }
long_options() { mapfile -t words < <(options long) && offers "$1" 'nodecanary --' "${words[@]}"; }

# Options that take an argument, and those alone, are as --help has them.
arguments() {
	local with without i
	mapfile -t with < <("$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\) [A-Z]\+ .*/\1\n\2/p')
	mapfile -t without < <("$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), --[a-z-]*  .*/\1/p' | grep -v '[Vh]')
	if [ ${#with[@]} -lt 6 ] || [ ${#without[@]} -lt 6 ]; then fail "--help has another form"; fi
	with=("${with[@]/%/ }")
	without=("${without[@]/%/ -}")
	ask "$1" "${with[@]/#/nodecanary }" "${without[@]/#/nodecanary }"
	for i in "${!with[@]}"; do offered $((i + 1)) '*' directory || return; done
	for i in "${!without[@]}"; do lacks $((${#with[@]} + i + 1)) directory a.ini || return; done
}

# In fish, any file.
configurations() {
	local more=()
	[ "$1" != fish ] || more=('*')
	offers "$1" 'nodecanary -c |nodecanary --config |nodecanary --config=|nodecanary -tnc ' \
		"${more[@]}" a.ini directory
}

outputs() {
	local more=()
	[ "$1" != fish ] || more=('*')
	offers "$1" 'nodecanary -o |nodecanary --output |nodecanary --output=' "${more[@]}" b.prom directory
}

directories() {
	offers "$1" 'nodecanary -d |nodecanary --drop-ins |nodecanary --drop-ins=|nodecanary -tnd ' directory
}

exclusive() {
	ask "$1" 'nodecanary -C --' 'nodecanary --list-peers --' 'nodecanary -q --' 'nodecanary -v --'
	lacks 1 --list-peers && lacks 2 --check && lacks 3 --verbose && lacks 4 --quiet
}

not_called() {
	: >"$TMP/calls"
	ask "$1" 'nodecanary -' && [ -s "$TMP/offered/1" ] && [ ! -s "$TMP/calls" ]
}

# Typed, completed and entered.
entered() {
	local words
	in_bash 'nodecanary --conf\ta\t --dro\td\t -C --ta\t'
	words=$(tr '\n' ' ' <"$TMP/calls")
	[ "$words" = 'CALL --config a.ini --drop-ins directory/ -C --table ' ] || fail "$words"
}

prepare
for shell in bash zsh fish; do
	file=$TOP/packaging/completion/nodecanary.$shell
	[ $shell != zsh ] || file=$TOP/packaging/completion/_nodecanary
	missing=
	command -v $shell >/dev/null || missing="$shell is not installed"
	if [ $shell = bash ] && [ ! -e /usr/share/bash-completion/bash_completion ]; then
		missing='bash-completion is not installed'
	fi
	if [ -n "$missing" ]; then
		check "$shell completes options and their arguments" skip "$missing"
		continue
	fi
	case $shell in
	bash) check 'bash reads the file without an error' bash -O extglob -n "$file" ;;
	*) check "$shell reads the file without an error" $shell -n "$file" ;;
	esac
	check "$shell offers the options of --help and no others" all_options $shell
	check "$shell offers the long options behind --" long_options $shell
	check "$shell knows which options take an argument" arguments $shell
	check "$shell offers configurations behind -c" configurations $shell
	check "$shell offers directories and nothing else behind -d" directories $shell
	check "$shell offers published files behind -o" outputs $shell
	case $shell in
	bash) check 'bash enters the line that was completed' entered ;;
	*)
		check "$shell does not offer an option that another one excludes" exclusive $shell
		check "$shell does not call the program to complete its options" not_called $shell
		;;
	esac
done

finish
