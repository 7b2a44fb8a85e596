#!/bin/bash
# Build all that a real kind cluster needs without any image registry: Kubernetes, etcd, CoreDNS, kind, krew, kindnetd and
# flanneld from Go modules and Debian source packages; containerd, runc, CNI plugins and the userland of nodes from Debian.
# The result is the Docker image $NODE_IMAGE, which plain `kind create cluster --image` accepts, and $LAB_STATE/bin.
# About 10 minutes on 2 cores once; every finished step is kept and not done again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
IMAGES=$STATE/images
WORK=$STATE/work
KUBE_BINS="kubelet kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl kubeadm"
ALL_BINS="$KUBE_BINS agnhost kind krew validate-krew-manifest kindnetd flanneld etcd coredns pause"

is_complete() {
	local b
	for b in $ALL_BINS; do
		[[ -x $BIN/$b ]] || return 1
	done
	has_image
}

# ---- binaries ----------------------------------------------------------------------------------------------------------

go_build() { # go_build MODULE_DIR OUT PACKAGE [LDFLAGS]: never leaves half a file
	(cd "$1" && CGO_ENABLED=0 GOFLAGS=-mod=mod go build -trimpath -ldflags "-s -w ${4:-}" -o "$BIN/.$2.part" "$3" \
		>"$WORK/go-$2.log" 2>&1) || { tail -15 "$WORK/go-$2.log" >&2; die "go build of $2 failed, log: $WORK/go-$2.log"; }
	mv "$BIN/.$2.part" "$BIN/$2"
}

kube_module() { # a module of our own that requires k8s.io/kubernetes and replaces its staging modules
	local m=$1 s c
	local staging="api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap
		code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib
		dynamic-resource-allocation endpointslice kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler
		kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin sample-controller"
	mkdir -p "$m"
	{
		printf 'module lab/kube\ngo 1.22.0\nrequire k8s.io/kubernetes %s\nreplace (\n' "$KUBE"
		for s in $staging; do echo "  k8s.io/$s => k8s.io/$s $STAGING"; done
		echo ')'
	} >"$m/go.mod"
	{
		printf '//go:build tools\npackage kube\nimport (\n'
		for c in $KUBE_BINS; do [[ $c == kubectl ]] || echo "  _ \"k8s.io/kubernetes/cmd/$c/app\""; done
		echo ')'
	} >"$m/tools.go"
	(cd "$m" && GOFLAGS=-mod=mod go mod tidy >/dev/null 2>"$m/tidy.log" ||
		GOFLAGS=-mod=mod go mod download k8s.io/kubernetes) || die "no Go modules: see $m/tidy.log (is a module proxy reachable?)"
}

build_kubernetes() {
	local m=$WORK/kube b missing=
	for b in $KUBE_BINS agnhost; do [[ -x $BIN/$b ]] || missing+=" $b"; done
	[[ -n $missing ]] || return 0
	say "fetch the Go modules of Kubernetes $KUBE"
	kube_module "$m"
	local v=k8s.io/component-base/version c=k8s.io/client-go/pkg/version major=${KUBE#v} minor=${KUBE#v*.}
	major=${major%%.*} minor=${minor%%.*}
	local ld="-X $v.gitVersion=$KUBE -X $v.gitMajor=$major -X $v.gitMinor=$minor -X $v.gitTreeState=clean -X $v.gitCommit=lab"
	ld+=" -X $v.buildDate=2025-01-01T00:00:00Z -X $c.gitVersion=$KUBE -X $c.gitMajor=$major -X $c.gitMinor=$minor"
	for b in $missing; do
		say "go build $b"
		case $b in
		agnhost) go_build "$m" agnhost k8s.io/kubernetes/test/images/agnhost ;;
		*) go_build "$m" "$b" "k8s.io/kubernetes/cmd/$b" "$ld" ;;
		esac
	done
}

go_main() { # go_main OUT MODULE@VERSION PACKAGE: a main package of a module, built in a module of its own
	[[ -x $BIN/$1 ]] && return 0
	say "go build $1"
	local m=$WORK/$1
	mkdir -p "$m"
	printf 'module lab/%s\ngo 1.24.0\n' "$1" >"$m/go.mod"
	(cd "$m" && go get "$2" >"$WORK/$1.log" 2>&1) || { tail -5 "$WORK/$1.log" >&2; die "go get $2 failed"; }
	go_build "$m" "$1" "$3"
}

debian_source() { # debian_source PACKAGE: unpack the upstream tarball of a Debian source package under $WORK/src
	local s=$WORK/src a=$WORK/src/apt uri
	mkdir -p "$a/lists/partial" "$a/cache/archives/partial"
	uri=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1 || true)
	[[ -n $uri ]] || uri=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' /etc/apt/sources.list)
	[[ -n $uri ]] || die "no Debian mirror found in /etc/apt for the source package $1"
	echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $DEBSRC_SUITE main" >"$a/sources.list"
	local o=(-o "Dir::Etc::sourcelist=$a/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$a/lists" -o "Dir::Cache=$a/cache")
	(cd "$s" && apt-get "${o[@]}" update >/dev/null &&
		{ apt-get "${o[@]}" source --download-only --tar-only "$1" >/dev/null 2>&1 || ls "$1"_*.orig.tar.* >/dev/null; } &&
		tar xf "$1"_*.orig.tar.*) || die "could not fetch the Debian source package $1 from $uri $DEBSRC_SUITE"
}

build_others() {
	go_main kind "sigs.k8s.io/kind@$KIND" sigs.k8s.io/kind
	go_main krew "sigs.k8s.io/krew@$KREW" sigs.k8s.io/krew/cmd/krew
	go_main validate-krew-manifest "sigs.k8s.io/krew@$KREW" sigs.k8s.io/krew/cmd/validate-krew-manifest
	if [[ ! -x $BIN/kindnetd ]]; then
		say "go build kindnetd (from Debian's source package of kind)"
		debian_source kind
		go_build "$(echo "$WORK"/src/kind-*/images/kindnetd)" kindnetd ./cmd/kindnetd
	fi
	if [[ ! -x $BIN/flanneld ]]; then
		say "go build flanneld"
		rm -rf "$WORK/flanneld"
		cp -r "$LAB/flanneld" "$WORK/flanneld"
		go_build "$WORK/flanneld" flanneld .
	fi
	# Debian's etcd 3.4 has no /livez and /readyz: kubeadm's probes would restart it every few minutes.
	go_main etcd "go.etcd.io/etcd/server/v3@$ETCD" go.etcd.io/etcd/server/v3
	go_main coredns "github.com/coredns/coredns@$COREDNS" github.com/coredns/coredns
	if [[ ! -x $BIN/pause ]]; then
		say "compile pause"
		gcc -Os -static -s -o "$BIN/pause" "$LAB/pause.c"
	fi
}

# ---- images ------------------------------------------------------------------------------------------------------------

rootfs() { # rootfs DIR PACKAGES: a minimal Debian; complete or not there at all
	[[ -d $1/usr ]] && return 0
	say "debootstrap $(basename "$1")"
	rm -rf "$1.part"
	debootstrap --variant=minbase --include="$2" "$NODE_SUITE" "$1.part" >"$WORK/debootstrap-$(basename "$1").log" 2>&1 ||
		die "debootstrap failed, log: $WORK/debootstrap-$(basename "$1").log"
	rm -rf "$1.part"/var/cache/apt/archives/*.deb "$1.part"/var/lib/apt/lists/* "$1.part"/usr/share/{doc,man,locale}
	mv "$1.part" "$1"
}

image() { # image NAME BASE BINARY DEST DOCKERFILE_LINES: BASE plus one binary; adds NAME to `list`
	local ctx=$WORK/ctx
	rm -rf "$ctx"
	mkdir -p "$ctx"
	cp "$BIN/$3" "$ctx/"
	printf 'FROM %s\nCOPY %s %s\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n%b\n' \
		"$2" "$3" "$4" "$5" >"$ctx/Dockerfile"
	DOCKER_BUILDKIT=0 docker build -q -t "$1" "$ctx" >/dev/null || die "docker build of $1 failed"
	list+=("$1")
}

build_images() { # what a node carries; those that need a userland share one base layer
	[[ -f $IMAGES/all.tar ]] && return 0
	local list=() t=$WORK/net b k=registry.k8s.io
	rootfs "$t" iptables,nftables,conntrack,ipset,iproute2,kmod,busybox-static,curl,dnsutils,iputils-ping,netcat-openbsd
	say "build the container images of a node"
	tar -C "$t" -c . | docker import - netdoctor-lab/net:base >/dev/null
	for b in kube-apiserver kube-controller-manager kube-scheduler; do
		image "$k/$b:$KUBE" scratch "$b" "/usr/local/bin/$b" ''
	done
	image "$k/pause:$PAUSE_TAG" scratch pause /pause 'ENTRYPOINT ["/pause"]'
	image "$k/coredns/coredns:$COREDNS" scratch coredns /coredns 'ENTRYPOINT ["/coredns"]'
	image "$k/etcd:$ETCD_TAG" scratch etcd /usr/local/bin/etcd ''
	image "$k/kube-proxy:$KUBE" netdoctor-lab/net:base kube-proxy /usr/local/bin/kube-proxy ''
	image docker.io/kindest/kindnetd:lab netdoctor-lab/net:base kindnetd /bin/kindnetd 'CMD ["/bin/kindnetd"]'
	image docker.io/flannel/flannel:lab netdoctor-lab/net:base flanneld /opt/bin/flanneld 'ENTRYPOINT ["/opt/bin/flanneld"]'
	image "$k/e2e-test-images/agnhost:$AGNHOST_TAG" netdoctor-lab/net:base agnhost /agnhost 'ENTRYPOINT ["/agnhost"]\nCMD ["pause"]'
	docker save -o "$IMAGES/.all.tar.part" "${list[@]}"
	mv "$IMAGES/.all.tar.part" "$IMAGES/all.tar"
}

node_rootfs() { # node_rootfs DIR: userland, CNI plugins, kubelet and our own files
	local t=$1 b p
	rootfs "$t" systemd,systemd-sysv,dbus,conntrack,iptables,nftables,iproute2,ethtool,util-linux,mount,kmod,ebtables,ipset,socat,ca-certificates,curl,jq,procps,containerd,runc,containernetworking-plugins,iputils-ping,tcpdump,openssh-server
	mkdir -p "$t/opt/cni/bin" "$t/kind/manifests" "$t/kind/containerd" "$t/etc/kubernetes/manifests" \
		"$t/etc/cni/net.d" "$t/var/lib/containerd/overlayfs"
	# The image store is part of the image; only unpacked snapshots live on the node's volume.
	ln -sfn /var/lib/containerd/overlayfs "$t/kind/containerd/io.containerd.snapshotter.v1.overlayfs"
	for p in host-local loopback ptp portmap bridge bandwidth firewall tuning; do
		cp -a "$t/usr/lib/cni/$p" "$t/opt/cni/bin/"
	done
	cp -a "$LAB/node/rootfs/." "$t/"
	for b in kubelet kubeadm kubectl; do install -m755 "$BIN/$b" "$t/usr/bin/$b"; done
	echo "$KUBE" >"$t/kind/version"
	cp "$LAB"/manifests/default-*.yaml "$t/kind/manifests/"
	chroot "$t" sh -c 'rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
			/lib/systemd/system/sockets.target.wants/*udev*
		systemctl enable kubelet.service containerd.service >/dev/null 2>&1
		systemctl mask systemd-binfmt.service systemd-udevd.service systemd-logind.service getty.target >/dev/null 2>&1
		ln -sf /lib/systemd/systemd /sbin/init' || true
}

build_node() { # import the userland, load the images into it with its own containerd, commit the result
	has_image && return 0
	local t=$WORK/node c=netdoctor-lab-node-build up=
	node_rootfs "$t"
	say "build the node image $NODE_IMAGE"
	tar -C "$t" --exclude=./proc/* --exclude=./sys/* -c . | docker import - "$NODE_IMAGE-bare" >/dev/null
	docker rm -f $c >/dev/null 2>&1 || true
	docker run -d --privileged --name $c --network none -v "$IMAGES:/images:ro" "$NODE_IMAGE-bare" /usr/bin/containerd >/dev/null ||
		die "docker run --privileged failed: see $STATE/dockerd.log and node/rootfs/usr/local/bin/runc-nores"
	for _ in $(seq 50); do
		docker exec $c ctr version >/dev/null 2>&1 && { up=yes; break; }
		sleep 0.2
	done
	[[ -n $up ]] || { docker logs --tail 10 $c >&2; die "containerd did not come up in the node image"; }
	docker exec $c ctr -n k8s.io images import --no-unpack /images/all.tar >/dev/null
	docker kill -s TERM $c >/dev/null
	docker wait $c >/dev/null
	docker commit --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' --change 'CMD []' \
		--change 'ENV container=docker' $c "$NODE_IMAGE" >/dev/null
	docker rm -v $c >/dev/null
	docker rmi "$NODE_IMAGE-bare" >/dev/null 2>&1 || true
}

main() {
	need_root
	mkdir -p "$BIN" "$IMAGES" "$WORK"
	exec 8>"$STATE/build.lock"
	flock 8
	"$LAB/dockerd.sh" 8>&-
	if is_complete; then
		say "complete: $NODE_IMAGE and $BIN, nothing to do"
		return
	fi
	need_go
	need_disk
	need_package debootstrap debootstrap
	need_package gcc gcc
	need_package jq jq
	[[ -e /usr/lib/x86_64-linux-gnu/libc.a || -e /usr/lib/aarch64-linux-gnu/libc.a ]] || { say "install libc6-dev"; apt-get install -y --no-install-recommends libc6-dev >/dev/null; }
	build_kubernetes
	build_others
	build_images
	build_node
	say "done: $NODE_IMAGE"
}
main
