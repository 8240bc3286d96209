cat <<A > file && next
text $(expanded a) `and b` "not a quote
A
cat <<'B' | tee x
text $(not expanded) `
B
cat <<-C
	tabs
	C
<<D bash
pip install x
D
a <<E <<"F" b
first $(c)
E
second $(d)
F
x=$(cat <<G
in $(substitution)
G
)
while read x; do y; done <<H
z
H
if a <<I; then b; fi
c
I
