if [ -f a ]; then b; elif c; then d; else e; fi && f
for i in 1 2 $(seq 3); do echo $i; done | sort
for i; do echo "$i"; done
for ((i = 0; i < 3; i++)); do echo $i; done
while read -r line; do echo "$line"; done < file
until test -e x; do sleep 1; done &
case "$(uname -m)" in
  x86_64 | amd64) arch=amd64 ;;
  (aarch64) arch=arm64 ;;
  *) echo >&2 "no $(uname -m)"; exit 1
esac
( cd /tmp && make ) || { echo failed; exit 1; }
f() { echo "$1"; }
function g { h; }
f() ( a; b )
select x in a b; do echo $x; break; done
[[ $x =~ ^(a|b)+$ && ( -n $(c d) || ! -e f ) ]] && e
(( i += 1, j = (2 + 3) * 4 )) && echo $(( i << 2 ))
( (a; b); c )
{ ldd x | awk '{ print $1 }'; } 2>/dev/null | xargs -r rm
if ! a | b; then :; fi
while :; do { a && b || c; } && break; done # d
