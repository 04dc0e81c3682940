package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// baseURL reads an absolute URL without a slash at the end. Plain http is taken only for a host that cannot
// be on the internet, because the API key travels in every request.
func (e *env) baseURL(name string) string {
	v := e.text(name)
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") {
		// A URL may carry a password, so what was found is not repeated.
		e.fail(name, "is not an absolute URL: want https://host, such as %s", Default(name))
		return ""
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		e.fail(name, "has a user, a query or a fragment: want only https://host and perhaps a path")
		return ""
	}
	if u.Scheme == "http" && !local(u.Hostname()) {
		e.wrong(name, v, "https: the API key travels with each request (http is for this machine or a private network)")
		return ""
	}
	return strings.TrimRight(v, "/")
}

// refuseNotDidit reports a base URL at which no live Didit answers: the simulator's, as docker-compose.yml and `make dev` have it, and
// one with a path, since the client adds the paths itself. Each would fail at the first user, with an error that blames the flow.
func (e *env) refuseNotDidit(name, base string) {
	u, err := url.Parse(base)
	if base == "" || err != nil { // reported already
		return
	}
	if u.Hostname() == "simulator" || thisMachine(u.Hostname()) && slices.Contains(simulatorPorts, u.Port()) {
		e.wrong(name, base, "Didit's address, such as "+Default(name)+": this is the simulator's, which needs DIDIT_ENVIRONMENT="+string(Sandbox))
	}
	if u.Path != "" {
		e.wrong(name, base, "https://host without a path: the client adds /v3 and what follows")
	}
}

// simulatorPorts are where the simulator listens by default, and where compose publishes it.
var simulatorPorts = []string{"8090", "18090"}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// local says whether a host can only be on this machine or a private network. A name without a dot is one of
// a compose or cluster network: no public DNS zone answers it.
func local(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate()
	}
	return !strings.Contains(host, ".")
}

// address reads where to listen.
func (e *env) address(name string) string {
	v := e.text(name)
	host, port, err := net.SplitHostPort(v)
	n, bad := strconv.Atoi(port)
	if err != nil || bad != nil || n < 0 || n > 65535 || strings.ContainsAny(host, " /") {
		e.wrong(name, v, "host:port or :port, such as 127.0.0.1:8080 or :8080")
		return ""
	}
	return v
}

// LocalURL is where to call a process of this machine that listens at addr: localhost where it listens on all addresses.
func LocalURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
