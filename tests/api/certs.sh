#!/bin/bash
# certs.sh DIR: keys and certificates for t_api.c: a CA, a server's for 127.0.0.1, one that has
# expired, and a second CA that signed nothing.
set -eu
cd "$1"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 2 -out "$1.crt"; }
sign() { # sign NAME DAYS
	key "$1"
	openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$2" \
		-extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:fake.example") -out "$1.crt"
}
{ ca ca; ca other; sign server 2; sign expired -1; } 2>/dev/null
