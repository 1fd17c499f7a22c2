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
	mkdir -p "$TMP/completions" "$TMP/zsh" "$TMP/fish" "$TMP/bin" "$TMP/work/directory"
	cp "$TOP/packaging/completion/nodecanary.bash" "$TMP/completions/nodecanary"
	cp "$TOP/packaging/completion/_nodecanary" "$TMP/zsh"
	cp "$TOP/packaging/completion/nodecanary.fish" "$TMP/fish"
	touch "$TMP"/work/{a.ini,b.prom,c.txt}
	cat >"$TMP/bin/nodecanary" <<-SCRIPT
		#!/bin/sh
		printf '%s\n' CALL "\$@" >>'$TMP/calls'
	SCRIPT
	chmod 755 "$TMP/bin/nodecanary"
	cat >"$TMP/bashrc" <<-SCRIPT
		BASH_COMPLETION_USER_DIR='$TMP'
		. /usr/share/bash-completion/bash_completion
		PATH='$TMP/bin':\$PATH
		cd '$TMP/work'
	SCRIPT
	# What completion hands to the line editor is noted.
	cat >"$TMP/inner.zsh" <<-SCRIPT
		PROMPT= RPROMPT=
		fpath=('$TMP/zsh' \$fpath)
		path=('$TMP/bin' \$path)
		autoload -U compinit && compinit -D -u
		bindkey '^I' complete-word
		compadd() {
			local -a found
			if [[ \${@[1,(i)(-|--)]} != *-[OAD]\ * ]]; then
				builtin compadd -O found "\$@"
				(( ! \$#found )) || print -rl -- \$found >>'$TMP/matches'
			fi
			builtin compadd "\$@"
		}
		all_offered() { print ALL-OFFERED }
		comppostfuncs=(all_offered)
		cd '$TMP/work'
		print SHELL-IS-READY
	SCRIPT
	cat >"$TMP/outer.zsh" <<-'SCRIPT'
		zmodload zsh/zpty
		zpty shell zsh -f -i
		zpty -w shell "source ${(q)1}/inner.zsh"
		zpty -r shell out '*SHELL-IS-READY*' || exit 1
		zpty -n -w shell "$2"$'\t'
		zpty -r shell out '*ALL-OFFERED*' || exit 1
		zpty -d shell
	SCRIPT
}

# in_bash KEYS (for printf %b): the words of the command line that they make of `nodecanary`.
in_bash() {
	: >"$TMP/calls"
	printf '%b\nexit\n' "$1" | timeout 30 script -qec \
		"bash --noprofile --rcfile '$TMP/bashrc' -i" /dev/null >"$TMP/screen" 2>&1 || return
	[ "$(grep -cx CALL "$TMP/calls")" = 1 ] || return
	grep -vx CALL "$TMP/calls"
}

# M-* puts all that is offered into the line, behind the words that are there.
offers_bash() {
	local typed
	read -ra typed <<<"${1% *} end"
	in_bash "$1\e*" | tail -n +$((${#typed[@]} - 1))
}

offers_zsh() {
	: >"$TMP/matches"
	timeout 30 zsh -f "$TMP/outer.zsh" "$TMP" "$1" >"$TMP/screen" 2>&1 || return
	cat "$TMP/matches"
}

offers_fish() {
	# shellcheck disable=SC2016 # fish expands it
	(cd "$TMP/work" && PATH=$TMP/bin:$PATH timeout 30 fish --no-config -c '
		set -p fish_complete_path $argv[1]/fish
		complete -C $argv[2]' "$TMP" "$1") | cut -f 1
}

# offers SHELL LINE WORD...: what is offered behind the line is this. `*` as the first word: this and
# more. Directories come with and without a slash, arguments with and without their option.
offers() {
	local shell=$1 line=$2 more=cat
	shift 2
	if [ "${1-}" = '*' ]; then
		shift
		more="grep -xF $(printf -- '-e %s ' "$@")"
	fi
	"offers_$shell" "$line" >"$TMP/offered" || {
		echo "\`$line\`: no answer:"
		cat -v "$TMP/screen"
		return 1
	}
	printf '%s\n' "$@" | sort >"$TMP/expected"
	sed 's/^--[a-z-]*=//; s,/$,,; /^$/d' "$TMP/offered" | $more | sort -u >"$TMP/actual"
	diff -u --label "$line: expected" --label "$line: offered" "$TMP/expected" "$TMP/actual"
}

# lacks SHELL LINE WORD...: something is offered, but none of these.
lacks() {
	local shell=$1 line=$2
	shift 2
	"offers_$shell" "$line" >"$TMP/offered" && [ -s "$TMP/offered" ] || return 1
	! grep -xF "$(printf '%s\n' "$@")" "$TMP/offered"
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
	local option
	while read -r option; do
		offers "$1" "nodecanary $option " '*' directory || return
	done < <("$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), \(--[a-z-]*\) [A-Z]\+ .*/\1\n\2/p')
	while read -r option; do
		lacks "$1" "nodecanary $option -" directory a.ini || return
	done < <("$NC" --help | sed -n 's/^  \(-[a-zA-Z]\), --[a-z-]*  .*/\1/p' | grep -v '[Vh]')
}

# In fish, any file.
configurations() {
	local line shell=$1
	for line in 'nodecanary -c ' 'nodecanary --config ' 'nodecanary --config=' 'nodecanary -tnc '; do
		case $shell in
		fish) offers fish "$line" '*' a.ini directory || return ;;
		*) offers "$shell" "$line" a.ini directory || return ;;
		esac
	done
}

outputs() {
	local line shell=$1
	for line in 'nodecanary -o ' 'nodecanary --output ' 'nodecanary --output='; do
		case $shell in
		fish) offers fish "$line" '*' b.prom directory || return ;;
		*) offers "$shell" "$line" b.prom directory || return ;;
		esac
	done
}

directories() {
	local line
	for line in 'nodecanary -d ' 'nodecanary --drop-ins ' 'nodecanary --drop-ins=' 'nodecanary -tnd '; do
		offers "$1" "$line" directory || return
	done
}

exclusive() {
	lacks "$1" 'nodecanary -C --' --list-peers && lacks "$1" 'nodecanary --list-peers --' --check &&
		lacks "$1" 'nodecanary -q --' --verbose && lacks "$1" 'nodecanary -v --' --quiet
}

not_called() {
	: >"$TMP/calls"
	"offers_$1" 'nodecanary -' >"$TMP/offered" && [ -s "$TMP/offered" ] && [ ! -s "$TMP/calls" ]
}

# Typed, completed and entered.
entered() {
	local words
	words=$(in_bash 'nodecanary --conf\ta\t --dro\td\t -C --ta\t' | tr '\n' ' ')
	[ "$words" = '--config a.ini --drop-ins directory/ -C --table ' ] || {
		echo "$words"
		return 1
	}
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
