#include "common/base.h"
#include "plugin/checks/facts.h"

#include <strings.h>

static const char *find_any(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; text && i < n; i++)
		if (strcasestr(text, words[i]))
			return words[i];
	return NULL;
}

/* Whoever says this was reached (or was never asked): any answer of a registry proves the network
 * works. */
static bool is_not_network(const char *message)
{
	static const char *const answers[] = {"pull access denied",
					      "insufficient_scope",
					      "authorization failed",
					      "unauthorized",
					      "401 ",
					      "403 ",
					      "forbidden",
					      "manifest unknown",
					      "not found",
					      "toomanyrequests",
					      "no match for platform",
					      "no matching manifest",
					      "invalid reference format",
					      "server gave HTTP response",
					      "name unknown",
					      "is not present with pull policy of Never"};
	static const char *const network[] = {"dial tcp",
					      "lookup ",
					      "i/o timeout",
					      "TLS handshake",
					      "no such host",
					      "connection refused",
					      "connection reset",
					      "no route to host",
					      "deadline exceeded",
					      "proxyconnect",
					      "EOF"};
	return find_any(message, answers, ND_ARRAY_LEN(answers)) &&
	       !find_any(message, network, ND_ARRAY_LEN(network));
}

/* What was said about the pull: by the container's state, or by an event of the pod. */
static const char *message_of(const struct nd_cluster *cluster, const struct nd_pod *pod,
			      const struct nd_container *c)
{
	if (is_not_network(c->waiting_message))
		return c->waiting_message;
	const char *last = NULL;
	for (size_t i = 0; i < cluster->nevents; i++) {
		const struct nd_event *e = &cluster->events[i];
		if (nd_eq(e->uid, pod->meta.uid) && nd_eq(e->reason, "Failed") && e->message &&
		    c->image && strstr(e->message, c->image) && strstr(e->message, "pull"))
			last = e->message;
	}
	return is_not_network(last) ? last : NULL;
}

static bool waits_for_image(const struct nd_container *c)
{
	return nd_eq(c->waiting_reason, "ImagePullBackOff") ||
	       nd_eq(c->waiting_reason, "ErrImagePull") ||
	       nd_eq(c->waiting_reason, "ErrImageNeverPull") ||
	       nd_eq(c->waiting_reason, "InvalidImageName");
}

/* One pod speaks for all of its owner that want the same image. */
static bool is_told(struct nd_check_run *run, size_t first, const char *key)
{
	for (size_t i = first; i < run->nfindings; i++)
		if (nd_eq(run->findings[i]->title, key))
			return true;
	return false;
}

static void look_at(struct nd_check_run *run, size_t first, const struct nd_pod *pod)
{
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *c = &pod->containers[i];
		bool is_sure = nd_eq(c->waiting_reason, "ErrImageNeverPull") ||
			       nd_eq(c->waiting_reason, "InvalidImageName");
		const char *message = waits_for_image(c) ? message_of(run->cluster, pod, c) : NULL;
		if (!waits_for_image(c) || (!message && !is_sure))
			continue;
		const char *image = c->image ? c->image : "its image";
		const char *title = nd_check_text(
			run,
			"%s/%s does not start: %s can't be had, and the network is not to blame",
			pod->meta.ns, pod->meta.owner_name ? pod->meta.owner_name : pod->meta.name,
			image);
		if (is_told(run, first, title))
			return;
		struct nd_finding *f = nd_find(run, "pod/%s/%s", pod->meta.ns, pod->meta.name);
		f->node = pod->node;
		f->title = title;
		nd_prove(run, f, nd_check_text(run, "pod/%s/%s", pod->meta.ns, pod->meta.name),
			 "container %s waits: %s: %s", c->name ? c->name : "?", c->waiting_reason,
			 message              ? message
			 : c->waiting_message ? c->waiting_message
					      : image);
		return;
	}
}

static void run(struct nd_check_run *run)
{
	size_t first = run->nfindings;
	for (size_t i = 0; i < run->cluster->npods; i++)
		if (!run->cluster->pods[i].meta.is_deleting &&
		    !nd_fact_pod_ended(&run->cluster->pods[i]))
			look_at(run, first, &run->cluster->pods[i]);
}

const struct nd_check nd_check_img_not_network = {
	.id = "img-not-network",
	.layer = ND_LAYER_IMAGE,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "An image can't be had, for a reason that is not the network",
	.why = "The registry answered (wrong name or tag, no permission, rate limit, no such "
	       "platform), or the image may not be pulled at all (imagePullPolicy Never, not "
	       "loaded into the kind node). Whatever answers was reached.",
	.fix = "correct the image's name or the pull secret; in kind: kind load docker-image IMAGE "
	       "--name CLUSTER",
	.source = "OCI distribution spec: error codes; kubelet: pkg/kubelet/images; kind: Known "
		  "Issues",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"kp-not-running", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE}},
	.run = run,
};
