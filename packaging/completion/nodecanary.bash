# shellcheck shell=bash
# bash completion for nodecanary(8), loaded by bash-completion.

_nodecanary() {
	# shellcheck disable=SC2034 # _init_completion sets them all
	local cur prev words cword split

	_init_completion -s || return
	case $prev in
	--config | -*([!cdo-])c)
		_filedir ini
		return
		;;
	--drop-ins | -*([!cdo-])d)
		_filedir -d
		return
		;;
	--output | -*([!cdo-])o)
		_filedir prom
		return
		;;
	esac
	# --quiet= is no beginning of anything.
	[[ $split == false ]] || return
	mapfile -t COMPREPLY < <(compgen -W '-c --config -d --drop-ins -o --output
		-n --dry-run -t --table -C --check -l --list-peers --all -q --quiet -v --verbose
		-V --version -h --help' -- "$cur")
} && complete -F _nodecanary nodecanary
