# metrics.md, with type and meaning of every metric as a published file has them:
#
#     awk -f metrics.awk FILE.prom metrics.md

BEGIN { FS = "|" }
FNR == NR {
	if ($0 !~ /^# (HELP|TYPE) /)
		next
	split($0, word, " ")
	text = substr($0, length(word[1] word[2] word[3]) + 4)
	if (word[2] == "HELP")
		help[word[3]] = text
	else
		type[word[3]] = text
	next
}
/^\| `nodecanary_/ {
	name = $2
	gsub(/[ `]/, "", name)
	$3 = " " type[name] " "
	$4 = " " help[name] " "
	line = $1
	for (i = 2; i <= NF; i++)
		line = line "|" $i
	print line
	next
}
{ print }
