#!/bin/bash
# Bad input from outside, one wrong thing at a time: the program as a user has it, with kubeconfigs, certificates and bundles
# made here, and a FAKE API server (fakeapi.py, HTTPS on 127.0.0.1) that answers wrongly on purpose.
# Wanted each time: exactly one line "error: ..." that names the place, the right exit code, nothing on standard output, and with
# --save neither FILE nor FILE.part. Contexts are never called kind-..., so no container engine is asked.
set -u
cd "$(dirname "$0")" || exit 1
tool=$(realpath -e "${NETDOCTOR:-../../build/bin/kubectl-netdoctor}") || { echo "not ok t_cli: no program"; exit 1; }
tmp=$(mktemp -d)
server=
cleanup() {
	exec 8>&-
	[[ -n $server ]] && wait "$server" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
failed=0
export HOME=$tmp/home KUBECONFIG=
unset KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy
mkdir -p "$HOME"

bad() { echo "not ok $1: $2"; failed=1; }

# refuses NAME EXIT_CODE REGEX ARGS...: diagnose ARGS is one clear error that matches
refuses() {
	local name=$1 want=$2 regex=$3 rc
	shift 3
	timeout 60 "$tool" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	if ((rc != want)); then bad "$name" "exit $rc, wanted $want: $(head -c 300 "$tmp/err" "$tmp/out")"
	elif [[ -s $tmp/out ]]; then bad "$name" "standard output: $(head -c 200 "$tmp/out")"
	elif [[ $(grep -c '^error: ' "$tmp/err") != 1 || $(grep -vc '^error: \|^plugin: ' "$tmp/err") != 0 ]]; then
		bad "$name" "not one error line: $(head -c 300 "$tmp/err")"
	elif ! grep '^error: ' "$tmp/err" | grep -qE -- "$regex"; then bad "$name" "wanted /$regex/: $(head -c 300 "$tmp/err")"
	elif ! python3 safe.py "$tmp/err"; then bad "$name" "unsafe characters on standard error"
	else echo "ok $name"; fi
}

# asks NAME EXIT_CODE REGEX ARGS...: the same with --save, where nothing may be left
asks() {
	local name=$1
	rm -rf "$tmp/save"
	mkdir "$tmp/save"
	refuses "$@" --save "$tmp/save/b.tar.gz"
	[[ -z $(ls -A "$tmp/save") ]] || bad "$name (--save)" "left behind: $(ls -A "$tmp/save")"
}

config() { # config FILE SERVER [USER LINES [CLUSTER LINES]]
	cat >"$1" <<-END
		apiVersion: v1
		kind: Config
		current-context: c
		contexts: [{name: c, context: {cluster: c, user: u}}]
		clusters:
		- name: c
		  cluster:
		    server: $2
		${4:-}
		users:
		- name: u
		  user:
		${3:-    token: t}
	END
}

# --- kubeconfig
refuse_config() { asks "kubeconfig $1" 2 "$2" diagnose --kubeconfig "$tmp/k"; }
asks "no kubeconfig" 2 'kubeconfig' diagnose
KUBECONFIG=/nonexistent asks "KUBECONFIG leads nowhere" 2 '/nonexistent|kubeconfig' diagnose
asks "--kubeconfig is missing" 2 "$tmp/none" diagnose --kubeconfig "$tmp/none"
asks "--kubeconfig is a directory" 2 "$tmp/home" diagnose --kubeconfig "$tmp/home"
if [[ $(id -u) == 0 ]]; then
	config "$tmp/k" https://127.0.0.1:1
	chmod 0 "$tmp/k"
	cp "$tool" "$tmp/tool"
	chmod 755 "$tmp" "$tmp/tool"
	real=$tool tool=$tmp/unprivileged
	printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups %q "$@"\n' "$tmp/tool" >"$tool"
	chmod 755 "$tool"
	refuses "kubeconfig may not be read" 2 "$tmp/k.*denied" diagnose --kubeconfig "$tmp/k"
	tool=$real
	rm -f "$tmp/k"
fi
printf 'apiVersion: v1\nkind: Config\nclusters:\n- name: a\n  cluster: {server: [\n' >"$tmp/k"
refuse_config "is not closed" "$tmp/k:[56]"
printf 'apiVersion: v1\nkind: Config\nclusters:\n\t- name: a\n' >"$tmp/k"
refuse_config "has a tab" "$tmp/k:[34]"
printf 'apiVersion: v1\nkind: Config\nclusters: 7\n' >"$tmp/k"
refuse_config "has a number for a list" "$tmp/k:3"
printf 'just text' >"$tmp/k"
refuse_config "is no map" "$tmp/k:1"
head -c 4096 /dev/urandom >"$tmp/k"
refuse_config "is noise" "$tmp/k"
{ printf 'a: '; printf '[%.0s' {1..5000}; } >"$tmp/k"
refuse_config "is 5000 deep" "$tmp/k"
printf 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n' >"$tmp/k"
refuse_config "has aliases that explode" "$tmp/k"
config "$tmp/k" https://127.0.0.1:1
asks "unknown context" 2 'nowhere' diagnose --kubeconfig "$tmp/k" --context nowhere
asks "unknown cluster" 2 'nowhere' diagnose --kubeconfig "$tmp/k" --cluster nowhere
asks "unknown context with an escape" 2 'context' diagnose --kubeconfig "$tmp/k" --context $'\e[31mx'
config "$tmp/k" ftp://127.0.0.1
refuse_config "has an ftp server" 'URL|server'
config "$tmp/k" https://127.0.0.1:1 '    token: t' "    certificate-authority: $tmp/no-ca.crt"
refuse_config "names a CA that is missing" 'no-ca.crt'
config "$tmp/k" https://127.0.0.1:1 '    token: t' '    certificate-authority-data: "%%%"'
refuse_config "has a CA that is no base64" "$tmp/k:[0-9]+.*base64"
# --- exec plugins
exec_plugin() { # exec_plugin NAME REGEX COMMAND [ARGS as YAML list]
	config "$tmp/k" https://127.0.0.1:1 "    exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: $3, args: ${4:-[]}}"
	asks "exec plugin $1" 2 "$2" diagnose --kubeconfig "$tmp/k"
}
exec_plugin "is missing" 'netdoctor-no-such-plugin' netdoctor-no-such-plugin
exec_plugin "fails" 'sh.*(code|status) 3' sh '["-c", "echo plugin: sorry >&2; exit 3"]'
exec_plugin "prints rubbish" 'sh.*not' sh '["-c", "echo rubbish"]'
exec_plugin "prints nothing" 'true.* 0 bytes' 'true'
exec_plugin "prints another kind" 'sh' sh '["-c", "echo \"{\\\"kind\\\":\\\"Pod\\\"}\""]'
exec_plugin "prints no end" 'sh.*(more than|bytes)' sh '["-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"]'
exec_plugin "is ended by a signal" 'sh.*signal' sh '["-c", "kill -9 $$"]'

# --- server
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/key" -out "$tmp/crt" -days 2 -subj /CN=fake \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null || bad "make a certificate" "openssl failed"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/other.key" -out "$tmp/other.crt" -days 2 \
	-subj /CN=other 2>/dev/null
# Expired: a CA of now, a leaf whose two dates lie in the past (req cannot do that, ca can).
mkdir "$tmp/ca" && : >"$tmp/ca/index" && echo 01 >"$tmp/ca/serial"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/ca/index\nserial=%s/ca/serial\nnew_certs_dir=%s/ca\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\n' "$tmp" "$tmp" "$tmp" >"$tmp/ca/conf"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/old.key" -out "$tmp/old.csr" -subj /CN=old 2>/dev/null
openssl ca -batch -config "$tmp/ca/conf" -cert "$tmp/other.crt" -keyfile "$tmp/other.key" -startdate 20200101000000Z -enddate 20200102000000Z \
	-in "$tmp/old.csr" -out "$tmp/old.crt" -notext 2>/dev/null || bad "make an expired certificate" "openssl failed"

start() { # start CERT KEY: a server; its port in $port
	[[ -n $server ]] && { exec 8>&-; wait "$server" 2>/dev/null; }
	rm -f "$tmp/fifo" "$tmp/port"
	mkfifo "$tmp/fifo"
	./fakeapi.py "$1" "$2" <"$tmp/fifo" >"$tmp/port" 2>"$tmp/server.log" &
	server=$!
	exec 8>"$tmp/fifo"
	for ((i = 0; i < 100; i++)); do grep -q ready "$tmp/port" && break; sleep 0.1; done
	port=$(sed -n 's/^ready //p' "$tmp/port")
	[[ -n $port ]] || bad "fake server" "$(tail -3 "$tmp/server.log")"
}
serve() { # serve NAME EXIT_CODE REGEX WAY [CA]
	config "$tmp/k" "https://127.0.0.1:$port/$4" '    token: sesame' "    certificate-authority: ${5:-$tmp/crt}"
	asks "$1" "$2" "$3" diagnose --kubeconfig "$tmp/k"
}
config "$tmp/k" https://127.0.0.1:1
asks "server refuses" 3 '127\.0\.0\.1:1.*refused' diagnose --kubeconfig "$tmp/k"
config "$tmp/k" http://127.0.0.1:1
asks "server refuses, no TLS" 3 '127\.0\.0\.1:1.*refused' diagnose --kubeconfig "$tmp/k"
config "$tmp/k" https://nowhere.invalid:6443
asks "server has no address" 3 'nowhere\.invalid' diagnose --kubeconfig "$tmp/k"
start "$tmp/crt" "$tmp/key"
serve "server answers with a web page" 3 "127\.0\.0\.1:$port.*web page" html
serve "server's JSON is cut" 3 "127\.0\.0\.1:$port.*JSON" cut
serve "server says 401" 3 "127\.0\.0\.1:$port.*nauthorized" unauthorized
# An exec plugin that knows a better token when it is asked again.
second_token() { # second_token TOKEN: sets $plugin_user
	rm -f "$tmp/asked"
	cat >"$tmp/plugin" <<-END
		#!/bin/sh
		token=stale
		[ -e $tmp/asked ] && token=$1
		echo once >>$tmp/asked
		echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'\$token'"}}'
	END
	chmod +x "$tmp/plugin"
	plugin_user="    exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: $tmp/plugin}"
}
asked_twice() { [[ $(wc -l <"$tmp/asked") == 2 ]] || bad "$1" "the plugin ran $(wc -l <"$tmp/asked") times"; }
second_token stale
config "$tmp/k" "https://127.0.0.1:$port/fresh" "$plugin_user" "    certificate-authority: $tmp/crt"
refuses "a token that stays stale" 3 "127\.0\.0\.1:$port.*nauthorized" diagnose --kubeconfig "$tmp/k"
asked_twice "a token that stays stale"
asks "server does not answer" 3 "127\.0\.0\.1:$port.*in time" diagnose --kubeconfig "$tmp/k" --server "https://127.0.0.1:$port/hang" --request-timeout 1s
config "$tmp/k" "https://127.0.0.1:$port/good" "    client-certificate-data: $(base64 -w0 <<<hello)
    client-key-data: $(base64 -w0 <<<hello)" "    certificate-authority: $tmp/crt"
refuse_config "has a client certificate that is none" 'certificate'
serve "another CA" 3 "127\.0\.0\.1:$port.*(certificate|trusted)" good "$tmp/other.crt"
config "$tmp/k" "https://127.0.0.1:$port/good" '    token: sesame'
asks "a CA nobody knows" 3 "127\.0\.0\.1:$port.*(certificate|trusted)" diagnose --kubeconfig "$tmp/k"
config "$tmp/k" "https://127.0.0.1:$port/good" '    token: sesame' "    certificate-authority: $tmp/crt
    tls-server-name: somebody.else"
asks "the certificate of somebody else" 3 "127\.0\.0\.1:$port.*(somebody.else|certificate)" diagnose --kubeconfig "$tmp/k"

goes_on() { # goes_on NAME WAY JQ [USER LINES [FLAG]...]: exit 3, an answer with gaps that JQ likes, the bundle gives the same, terminal safe
	local name=$1 rc
	config "$tmp/k" "https://127.0.0.1:$port/$2" "${4:-    token: sesame}" "    certificate-authority: $tmp/crt"
	rm -f "$tmp/b.tar.gz"
	timeout 60 "$tool" diagnose --kubeconfig "$tmp/k" "${@:5}" -o json --save "$tmp/b.tar.gz" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	if ((rc != 3)); then bad "$name" "exit $rc: $(head -c 600 "$tmp/out" "$tmp/err")"
	elif [[ -s $tmp/err ]]; then bad "$name" "standard error: $(head -c 300 "$tmp/err")"
	elif ! jq -e "$3" "$tmp/out" >/dev/null; then bad "$name" "$(jq -c '.verdict, .gaps' "$tmp/out")"
	elif [[ ! -f $tmp/b.tar.gz || -e $tmp/b.tar.gz.part ]]; then bad "$name" "the bundle is not there, or its part is"
	else
		"$tool" diagnose --from "$tmp/b.tar.gz" -o json >"$tmp/out2" 2>"$tmp/err"
		if [[ $(grep -v '"seconds"' "$tmp/out") != "$(grep -v '"seconds"' "$tmp/out2")" ]]; then
			bad "$name" "the bundle says something else: $(diff "$tmp/out" "$tmp/out2" | head -c 400)"
		elif tar xzOf "$tmp/b.tar.gz" | grep -q sesame; then bad "$name" "the token is in the bundle"
		elif ! python3 safe.py "$tmp/out"; then bad "$name" "unsafe characters on standard output"
		else echo "ok $name"; fi
	fi
}
goes_on "nothing wrong but nodes that cannot be entered" good '.verdict == "incomplete" and (.gaps | map(.where) | index("api") == null)'
goes_on "403 on some lists" forbidden '.verdict == "incomplete" and ([.gaps[] | select(.where == "api" and (.why | contains("forbidden"))) | .what] | sort == ["events", "networkpolicies"])'
goes_on "two lists are cut" cutlists '[.gaps[] | select(.where == "api") | .what] | sort == ["events", "pods"]'
goes_on "403 on everything" forbidall '.verdict == "incomplete" and ([.gaps[] | select(.where == "api")] | length > 10)'
nothing_from_api='.gaps | map(.where) | index("api") == null'
second_token fresh
goes_on "a stale token is renewed" fresh "$nothing_from_api" "$plugin_user"
asked_twice "a stale token is renewed"
as_extra='    token: sesame
    as: bob
    as-user-extra: {scopes: [edit, admin]}'
goes_on "--as-user-extra" extra "$nothing_from_api" "$as_extra" --as-user-extra scopes=view
goes_on "as-user-extra of the kubeconfig" extra '[.gaps[] | select(.where == "api")] | length > 10' "$as_extra"
refuses "--as-user-extra without a value" 2 'as-user-extra' diagnose --kubeconfig "$tmp/k" --as-user-extra scopes
config "$tmp/k" "https://127.0.0.1:$port/hang" '    token: sesame' "    certificate-authority: $tmp/crt"
rm -rf "$tmp/save" && mkdir "$tmp/save"
(trap - INT; exec timeout --foreground --preserve-status -s INT 1 "$tool" diagnose --kubeconfig "$tmp/k" --save "$tmp/save/b") >"$tmp/out" 2>"$tmp/err" </dev/null
rc=$?
[[ $rc == 130 && ! -s $tmp/out && -z $(ls -A "$tmp/save") && $(grep -c '^error: ' "$tmp/err") == 1 ]] && echo "ok interrupted" ||
	bad "interrupted" "exit $rc: $(head -c 200 "$tmp/err"), left $(ls -A "$tmp/save")"
start "$tmp/old.crt" "$tmp/old.key"
serve "expired certificate" 3 "127\.0\.0\.1:$port.*expired" good "$tmp/other.crt"

# --- words
refuses "unknown flag" 2 '--nonsense' diagnose --nonsense
refuses "unknown short flag" 2 '-Z' diagnose -Z
refuses "unknown flag with an escape" 2 'flag' diagnose $'--\e]0;x\a'
refuses "unknown command" 2 'cure' cure
refuses "unknown format" 2 'rubbish.*text' diagnose -o rubbish
refuses "a flag without its value" 2 '--from' diagnose --from
refuses "a target that is none" 2 'everything' diagnose everything
refuses "a target with a bad port" 2 '10\.96\.0\.1:99999.*port' diagnose 10.96.0.1:99999
refuses "a target of https" 2 'plain http' diagnose https://10.96.0.1/
refuses "a target and no probes" 2 'probes' diagnose 10.96.0.1:443 --no-probe
refuses "unknown --probe" 2 'probe.*some' diagnose --kubeconfig "$tmp/k" --probe some
refuses "--probe-rate of nothing" 2 'probe-rate 0' diagnose --kubeconfig "$tmp/k" --probe-rate 0
refuses "--probe-timeout too long" 2 'probe-timeout 1h' diagnose --kubeconfig "$tmp/k" --probe-timeout 1h
refuses "--pairs of words" 2 'pairs many' diagnose --kubeconfig "$tmp/k" --pairs many
refuses "unknown --fail-on" 2 'fail-on.*often' diagnose --fail-on often
refuses "unknown finding" 2 'no-such-id' explain no-such-id
refuses "--from and --save" 2 '--from.*--save' diagnose --from a --save b
config "$tmp/k" https://127.0.0.1:1
demo=../cases/demo/bundle.tar.gz
refuses "trace of one place" 2 'source and a destination' trace shop/web
refuses "trace of two protocols" 2 'exclude each other' trace a/b c/d --tcp --udp
refuses "trace of a bundle, live" 2 '--from excludes' trace a/b c/d --from "$demo" --live
refuses "trace by HTTP, not live" 2 'trace --http wants' trace a/b c/d --http /
refuses "trace by HTTP over UDP" 2 'trace --http wants' trace a/b c/d --live --udp --http /
refuses "trace by HTTP, no path" 2 'trace --http wants' trace a/b c/d --live --http http://a/
refuses "trace from nowhere" 3 'no such pod' trace a/b c/d:1 --from "$demo"
refuses "trace from a service" 2 'nothing is sent from a service' trace svc/default/kubernetes 10.0.0.1:1 --from "$demo"
refuses "trace to no port" 2 'a port is wanted' trace 10.244.2.2 192.0.2.1 --from "$demo"
refuses "trace of nonsense" 2 'wanted pod/NS/NAME' trace 10.244.2.2 a/b/c:1 --from "$demo"
asks "bad --node-timeout" 2 'node-timeout.*soon' diagnose --kubeconfig "$tmp/k" --node-timeout soon
asks "bad --request-timeout" 2 'timeout' diagnose --kubeconfig "$tmp/k" --request-timeout soon
asks "unknown --transport" 2 'pigeon' diagnose --kubeconfig "$tmp/k" --transport pigeon
refuses "--save into a folder that is missing" 2 "$tmp/no/b" diagnose --kubeconfig "$tmp/k" --save "$tmp/no/b"

# --- bundles
mkdir "$tmp/b"
python3 hostile_bundles.py "$tmp/b" || bad "make bundles" "python failed"
bundle() { refuses "bundle: $1" 2 "$1.*$2" diagnose --from "$tmp/b/$1"; }
bundle missing 'No such file'
bundle empty 'empty|archive'
bundle not-tar 'tar'
bundle not-tar.gz 'tar'
bundle cut.tar.gz 'truncated|damaged|cut|entry'
bundle cut.tar 'truncated|damaged|cut|entry'
bundle no-end.tar.gz 'cut.*gaps.json'
bundle no-evidence.tar.gz 'evidence'
bundle only-gaps.tar.gz 'evidence'
bundle bad-gaps.tar.gz 'gaps.json.*JSON'
bundle dotdot.tar.gz 'entry 1 .*\.\.'
bundle absolute.tar.gz 'entry 1 .*absolute'
bundle symlink.tar.gz 'entry 1 .*link'
bundle hardlink.tar.gz 'entry 1 .*link'
bundle device.tar.gz 'entry 1 .*neither'
bundle name.tar.gz 'entry 1'
bundle bomb.tar.gz 'to one'
[[ ! -e /tmp/nd-evil ]] && echo "ok bundle: nothing was unpacked" || bad "bundle: nothing was unpacked" /tmp/nd-evil
for format in text wide json; do
	"$tool" diagnose --from "$tmp/b/control.tar.gz" -o $format >"$tmp/out" 2>"$tmp/err"
	rc=$?
	name="control characters, -o $format"
	if ((rc != 1)); then bad "$name" "exit $rc: $(head -c 300 "$tmp/err")"
	elif ! grep -q 'ip-forward-off' "$tmp/out"; then bad "$name" "the cause is not shown: $(head -c 300 "$tmp/out")"
	elif ! python3 safe.py "$tmp/out" "$tmp/err"; then bad "$name" "they came through"
	elif [[ $format == json ]] && ! jq -e . "$tmp/out" >/dev/null; then bad "$name" "not JSON"
	else echo "ok $name"; fi
done

# --- an answer that nobody takes
"$tool" explain >/dev/full 2>"$tmp/err"
rc=$?
[[ $rc == 2 && $(grep -c '^error: ' "$tmp/err") == 1 ]] && echo "ok standard output is full" || bad "standard output is full" "exit $rc"

exit $failed
