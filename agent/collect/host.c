#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/procfs.h"
#include "agent/sys/run.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "common/text.h"

#include <errno.h>
#include <sys/utsname.h>

/* Where the name iptables leads: Debian's alternatives end at xtables-nft-multi or -legacy-multi.
 */
static const char *iptables_mode(void)
{
	char path[ND_RUN_PATH_MAX], real[4096];

	if (!nd_run_find("iptables", path) || !realpath(path, real))
		return NULL;
	if (strstr(real, "legacy"))
		return "legacy";
	return strstr(real, "nft") ? "nft" : NULL;
}

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct utsname uts;
	char text[128];
	struct nd_jsonw w = {.out = out};

	if (uname(&uts) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "ask for the kernel's name");
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "hostname", uts.nodename);
	nd_jsonw_str(&w, "kernel", uts.release);
	nd_jsonw_str(&w, "arch", uts.machine);
	if (nd_procfs_line("/proc/uptime", text, sizeof(text)) > 0)
		nd_jsonw_int(&w, "uptime_s", strtoll(text, NULL, 10));
	nd_jsonw_int(&w, "time_unix_s", nd_clock_unix_s());
	if (nd_procfs_line("/proc/sys/kernel/random/boot_id", text, sizeof(text)) > 0)
		nd_jsonw_str(&w, "boot_id", text);
	const char *mode = iptables_mode();
	if (mode)
		nd_jsonw_str(&w, "iptables_mode", mode);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
	return 0;
}

const struct nd_collector nd_collector_host = {.name = "host", .run = run};
