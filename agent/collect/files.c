#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/procfs.h"
#include "common/jsonw.h"

/* /etc/kubernetes/kubelet.conf is not among them on purpose: it can hold keys. */
static const char *const paths[] = {
	"/etc/resolv.conf",
	"/etc/resolv.conf.original",
	"/run/systemd/resolve/resolv.conf",
	"/var/lib/kubelet/config.yaml",
	"/var/lib/kubelet/kubeadm-flags.env",
	"/run/flannel/subnet.env",
};
enum { MAX_BYTES = 64 << 10 };

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, ND_UNUSED struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};

	nd_jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < ND_ARRAY_LEN(paths); i++) {
		struct nd_err why = {0};
		nd_auto_buf struct nd_buf content = {.max_bytes = MAX_BYTES};

		nd_jsonw_begin(&w, NULL, '{');
		nd_jsonw_str(&w, "path", paths[i]);
		if (nd_procfs_load(paths[i], &content, &why) < 0)
			nd_jsonw_str(&w, "error", why.text);
		else
			nd_jsonw_strn(&w, "content", content.data ? content.data : "", content.len);
		nd_jsonw_end(&w, '}');
	}
	nd_jsonw_end(&w, ']');
	nd_buf_puts(out, "\n");
	return 0;
}

const struct nd_collector nd_collector_files = {.name = "files", .run = run};
