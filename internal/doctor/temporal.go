package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// The checks at Temporal.
const (
	checkTemporal   = "temporal"
	checkNamespace  = "namespace"
	checkAttributes = "search attributes"
	checkLimit      = "limit of " // a queue
	checkWorkers    = "workers"
	checkClockThere = "clock and Temporal's"
)

var checksInNamespace = []string{
	checkAttributes, checkLimit + kyc.TaskQueueDiditWrite, checkLimit + kyc.TaskQueueDiditRead, checkWorkers, checkClockThere, checkAlive, checkPending, checkSweeps,
}

func (e *checker) temporal(ctx context.Context) {
	c, err := e.dial(ctx)
	if err != nil {
		e.fail(checkTemporal, err.Error(), e.howToDial(ctx, err))
		e.skip("Temporal cannot be reached", append([]string{checkNamespace}, checksInNamespace...)...)
		return
	}
	defer c.Close()
	e.namespaceHere = c.Namespace()
	if !e.namespace(ctx, c) {
		e.skip("the namespace cannot be read", checksInNamespace...)
		return
	}
	e.attributes(ctx, c)
	e.queues(ctx, c)
	e.alive(ctx, c)
	e.pending(ctx, c)
	e.sweeps(ctx, c)
}

func (e *checker) dial(ctx context.Context) (*ops.Client, error) {
	o, err := e.Temporal()
	if err != nil {
		return nil, fmt.Errorf("read the TEMPORAL_ settings: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := ops.Dial(ctx, o)
	if err == nil {
		e.ok(checkTemporal, "reached at "+cmp.Or(o.HostPort, client.DefaultHostPort))
	}
	return c, err
}

// howToDial checks whether DNS knows the host: gRPC has several texts for one that it does not.
func (e *checker) howToDial(ctx context.Context, err error) string {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if o, bad := e.Temporal(); bad == nil {
		if host, _, bad := net.SplitHostPort(cmp.Or(o.HostPort, client.DefaultHostPort)); bad == nil {
			if _, unknown := net.DefaultResolver.LookupHost(ctx, host); unknown != nil {
				return "DNS does not know that host: check TEMPORAL_ADDRESS (host:port, no https://)"
			}
		}
	}
	return howToReach(err)
}

// howToReach reads the text: gRPC keeps nothing else of an error below it.
func howToReach(err error) string {
	_, denied := errors.AsType[*serviceerror.PermissionDenied](err)
	text := strings.ToLower(err.Error())
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	if cause := kyc.Cause(err); cause != "" && !denied {
		return cause
	}
	switch {
	case denied, has("unauthenticated", "unauthorized", "permission"):
		return "Temporal refuses the client: check TEMPORAL_API_KEY or the client certificate, and its rights in TEMPORAL_NAMESPACE"
	case has("tls", "x509", "certificate", "http2", "frame too large", "server preface", "eof"):
		return "one side speaks TLS and the other does not, or the certificate is not trusted: check TEMPORAL_TLS*"
	case has("settings"):
		return "correct the TEMPORAL_ variables or the profile that TEMPORAL_PROFILE names"
	}
	return "start Temporal (here: `make dev`), or check TEMPORAL_ADDRESS and the firewall in between"
}

// namespace reports whether the next checks make sense.
func (e *checker) namespace(ctx context.Context, c *ops.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kept, err := c.Retention(ctx)
	switch {
	case errors.As(err, new(*serviceerror.NamespaceNotFound)), errors.As(err, new(*serviceerror.NotFound)):
		e.fail(checkNamespace, c.Namespace()+" does not exist", howToMake(c))
		return false
	case err != nil:
		e.fail(checkNamespace, err.Error(), howToReach(err))
		return false
	}
	if kept < ops.WantedRetention {
		e.warn(checkNamespace, fmt.Sprintf("%s deletes closed verifications after %s; a user who comes back later is verified, and paid for, again", c.Namespace(), short(kept)),
			howToKeep(c))
		return true
	}
	e.ok(checkNamespace, fmt.Sprintf("%s keeps closed verifications for %s", c.Namespace(), short(kept)))
	return true
}

func howToMake(c *ops.Client) string {
	if c.OnCloud() {
		return "check TEMPORAL_NAMESPACE: it is NAME.ACCOUNT, as https://cloud.temporal.io/namespaces shows it"
	}
	return fmt.Sprintf("check TEMPORAL_NAMESPACE, or make it: `temporal operator namespace create --retention 720h %s`, then `starter setup`", c.Namespace())
}

func howToKeep(c *ops.Client) string {
	if c.OnCloud() {
		return "`" + ops.RetentionCommand(c.Namespace()) + "`"
	}
	return fmt.Sprintf("`temporal operator namespace update --retention 720h %s`", c.Namespace())
}

func (e *checker) attributes(ctx context.Context, c *ops.Client) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	found, err := c.SearchAttributes(ctx)
	if err != nil {
		e.fail(checkAttributes, err.Error(), howToReach(err))
		return
	}
	var missing, other []string
	for _, a := range found {
		switch {
		case a.Missing():
			missing = append(missing, a.Name)
		case a.Have != a.Type:
			other = append(other, fmt.Sprintf("%s is %v, want %v", a.Name, a.Have, a.Type))
		}
	}
	if len(missing) > 0 {
		e.fail(checkAttributes, "missing: "+strings.Join(missing, ", "), "run `starter setup` once; until then no worker starts")
	}
	if len(other) > 0 {
		e.fail(checkAttributes, "of another type: "+strings.Join(other, "; "),
			"remove each with `temporal operator search-attribute remove --name NAME`, then run `starter setup`")
	}
	if len(missing)+len(other) == 0 {
		e.ok(checkAttributes, fmt.Sprintf("all %d are there", len(found)))
	}
}

// short leaves out the zeros at the end of a duration.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
