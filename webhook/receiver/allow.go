package receiver

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// allows reports whether the sender is on the list, if there is one.
func (r *Receiver) allows(req *http.Request) bool {
	if len(r.o.AllowFrom) == 0 {
		return true
	}
	a, err := netip.ParseAddr(r.sender(req))
	return err == nil && contains(r.o.AllowFrom, a)
}

// sender is the address of a request's sender: the last one in X-Forwarded-For that is no proxy of ours, if a proxy of ours
// wrote the header, else the peer. It is a word in brackets where there is no address.
func (r *Receiver) sender(req *http.Request) string {
	at, ok := address(req.RemoteAddr)
	if !ok {
		return "(unreadable)"
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !contains(r.o.TrustedProxies, at) {
			break
		}
		if hop = strings.TrimSpace(hop); hop == "" {
			return "(none in X-Forwarded-For)"
		}
		if at, ok = address(hop); !ok {
			return "(unreadable in X-Forwarded-For)"
		}
	}
	return at.String()
}

// address reads an address as proxies write it: alone, with a port, and of IPv6 in brackets.
func address(text string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap(), true // ::ffff:10.0.0.1 is 10.0.0.1
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap(), err == nil
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}
