package receiver

import (
	"net/netip"
	"slices"
)

// allows reports whether the sender may be listened to.
func (r *Receiver) allows(sender string) bool {
	if len(r.o.AllowFrom) == 0 {
		return true
	}
	a, err := netip.ParseAddr(sender)
	if err != nil {
		return false
	}
	a = a.Unmap() // ::ffff:10.0.0.1 is 10.0.0.1
	return slices.ContainsFunc(r.o.AllowFrom, func(p netip.Prefix) bool { return p.Contains(a) })
}

func texts(networks []netip.Prefix) []string {
	out := make([]string, len(networks))
	for i, p := range networks {
		out[i] = p.String()
	}
	return out
}
