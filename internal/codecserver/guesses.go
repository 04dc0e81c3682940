package codecserver

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A sender may try guessBurst wrong tokens at once and then one in each guessPause. A right one costs nothing.
const (
	guessBurst = 10
	guessPause = 10 * time.Second
	// maxGuessers is how many senders have an allowance of their own. Others share one allowance.
	maxGuessers = 4096
)

// guesses counts wrong tokens by sender.
type guesses struct {
	mu  sync.Mutex
	now func() time.Time
	of  map[netip.Prefix]*allowance
}

// allowance is how many more wrong tokens a sender may try.
type allowance struct {
	left float64
	at   time.Time
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, of: map[netip.Prefix]*allowance{}}
}

// take uses up one try of a sender and reports whether there was one. Call it before the token is compared: otherwise many
// guesses at once all find one left.
func (g *guesses) take(sender netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.find(sender)
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// giveBack returns the try of a right token.
func (g *guesses) giveBack(sender netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.find(sender).left++
}

// find returns the allowance as it is now.
func (g *guesses) find(sender netip.Prefix) *allowance {
	if g.of[sender] == nil && len(g.of) >= maxGuessers {
		g.forget()
		if len(g.of) >= maxGuessers {
			sender = netip.Prefix{}
		}
	}
	a := g.of[sender]
	if a == nil {
		a = &allowance{left: guessBurst, at: g.now()}
		g.of[sender] = a
	}
	now := g.now()
	a.left = min(guessBurst, a.left+float64(now.Sub(a.at))/float64(guessPause))
	a.at = now
	return a
}

// forget drops senders whose allowance is full again.
func (g *guesses) forget() {
	for sender, a := range g.of {
		if g.now().Sub(a.at) >= guessBurst*guessPause {
			delete(g.of, sender)
		}
	}
}

// sender is the network that a request comes from: an IPv6 sender owns a /64. Behind a proxy it is the proxy.
func sender(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := at.Addr().Unmap(), 64
	if address.Is4() {
		bits = 32
	}
	network, _ := address.Prefix(bits) // bits fit
	return network
}
