# fish completion for nodecanary(8).

complete -c nodecanary -f
complete -c nodecanary -s c -l config -r -F -d 'Configuration'
complete -c nodecanary -s d -l drop-ins -x -d 'Directory of further *.ini files' \
	-a '(__fish_complete_directories (commandline -ct | string replace -r -- "^--drop-ins=" ""))'
complete -c nodecanary -s o -l output -r -F -d 'File to publish, - is stdout'
complete -c nodecanary -s n -l dry-run -d 'Ping, but publish nothing'
complete -c nodecanary -s t -l table -d 'Print a table of the results'
complete -c nodecanary -s C -l check -n 'not __fish_contains_opt -s l list-peers' -d 'Check the configuration and say what a run would do'
complete -c nodecanary -s l -l list-peers -n 'not __fish_contains_opt -s C check' -d 'Print whom this node would ping, and whom not and why'
complete -c nodecanary -l all -d 'Print who pings whom, of the whole list'
complete -c nodecanary -s q -l quiet -n 'not __fish_contains_opt -s v verbose' -d 'Errors only'
complete -c nodecanary -s v -l verbose -n 'not __fish_contains_opt -s q quiet' -d 'Say more'
complete -c nodecanary -s V -l version -d 'Print the version'
complete -c nodecanary -s h -l help -d 'Print a summary'
