echo "$(echo "a $(b "c d") e")" `f \`g h \`` "`i "j"`"
echo ${a} ${b:-c d} ${e:-"f}g"} "${h:-'i'}" ${j//\//_} ${#k} ${l[@]} ${m:+$(n o)} "${p#'}'}"
echo $((1 + $(q) * (2 - 3))) $(( $((r)) )) $( (s); t )
diff <(sort a) <(sort "b c") > >(tee log)
v=(1 "2 3" $(w x)) y+=z; u[1]=2
declare -a list=(a b
  c # comment
  d)
echo "a\"b\\c\$d\`e" 'f\g' h\'i \"j
echo $1 $@ "$*" $# $? $$ $! $- ${10} $ a$ "$"
cat <<< "here $(string)" | tr a b
x=$(case $y in a) b;; esac) z
echo `# comment` a `` b
echo foo\
bar "baz\
qux" && a \
  b
