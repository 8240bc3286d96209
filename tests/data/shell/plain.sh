set -eux; apt-get update && apt-get install -y --no-install-recommends curl ca-certificates && rm -rf /var/lib/apt/lists/*
pip install --no-cache-dir -r requirements.txt "uvicorn[standard]>=0.20" 'flask<3' torch==2.1.0+cpu
curl -fsSL https://example.org/key.asc | gpg --dearmor > /usr/share/keyrings/example.gpg
echo >&2 "message"; cmd > file a b 2>&1 < /dev/null &
LANG=C FOO="a b" BAR= make -j"$(nproc)" install || true
! grep -q x /etc/passwd && useradd -m x
time pip install foo; time -p make
A=1
export PATH=/opt/bin:$PATH NAME="a b"
a/$V/n-$W/x-$Y.tar
echo a\ b 'c'"d"$'e\n'$"f" ~/x {1..3} *.py [a-z]?
ls -l>out 2>>err <in >|force &>both &>>more <>rw
find . -name '*.pyc' -exec rm {} \; -o -type d
sed /^$/d file
exec 3>&1 4<&- {fd}>x
