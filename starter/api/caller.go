package api

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// Scope is what a token may do.
type Scope string

// The scopes.
const (
	ScopeStart    Scope = "start"    // start verifications
	ScopeRead     Scope = "read"     // read states, lists and histories
	ScopeReverify Scope = "reverify" // start decided users again, which costs a session
	ScopeDecide   Scope = "decide"   // cancel, refresh, approve, decline, resubmit
	ScopeErase    Scope = "erase"    // erase a user at Didit and Temporal
)

// Scopes lists the scopes.
func Scopes() []Scope { return []Scope{ScopeStart, ScopeRead, ScopeReverify, ScopeDecide, ScopeErase} }

// Caller is a client of the API. All callers share one space of users: a caller that may read reads every user. Several with
// one name are several tokens of one caller and share its limits.
type Caller struct {
	Name, Token string
	Scopes      []Scope  // nil: all
	Flows       []string // ids of Didit's flows that it may ask for, the first by default; nil: all
	ReturnHosts []string // hosts of return URLs; nil: all
	// Starts and Polls are its limits in one process: starts that wait for a session, and requests that wait for a verdict.
	// 0 means 500 starts and half of all polls.
	Starts, Polls int
}

const defaultStarts = 500

// caller is a Caller whose token is known only by its hash: hashes have one length, so that comparing them takes
// constant time.
type caller struct {
	Caller
	hash          [sha256.Size]byte
	starts, polls *share
}

func hashed(callers []Caller, polls int) []*caller {
	all := make([]*caller, len(callers))
	for i, c := range callers {
		all[i] = &caller{Caller: c, hash: sha256.Sum256([]byte(c.Token))}
		all[i].starts = newShare(c.Starts, defaultStarts)
		all[i].polls = newShare(c.Polls, max(1, polls/2))
		if first := slices.IndexFunc(all[:i], func(other *caller) bool { return other.Name == c.Name }); first >= 0 {
			all[i].starts, all[i].polls = all[first].starts, all[first].polls
		}
		all[i].Token = ""
	}
	return all
}

// authenticate finds the caller by its token.
func (a *API) authenticate(c *gin.Context) {
	header := c.Request.Header.Values("Authorization")
	if len(header) == 0 {
		c.Header("WWW-Authenticate", `Bearer realm="verifications"`)
		a.problem(c, unauthorized, details{detail: "the header Authorization is missing; want Authorization: Bearer TOKEN"})
		return
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	who := a.callerOf(strings.TrimSpace(token))
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || who == nil {
		c.Header("WWW-Authenticate", `Bearer realm="verifications", error="invalid_token"`)
		a.problem(c, unauthorized, details{detail: "the token is not one of STARTER_TOKENS; want Authorization: Bearer TOKEN, without the name before it"})
		return
	}
	c.Set(keyCaller, who)
	c.Next()
}

// callerOf compares every token, also after a match: the time must not depend on the token.
func (a *API) callerOf(token string) (who *caller) {
	hash := sha256.Sum256([]byte(token))
	for _, known := range a.callers {
		if subtle.ConstantTimeCompare(hash[:], known.hash[:]) == 1 {
			who = known
		}
	}
	return who
}

// by returns the caller that authenticate found.
func by(c *gin.Context) *caller {
	who, _ := c.Get(keyCaller)
	known, _ := who.(*caller)
	return known
}

// allow reports whether the caller has a scope, and refuses the request if not.
func (a *API) allow(c *gin.Context, s Scope) bool {
	who := by(c)
	if who.Scopes == nil || slices.Contains(who.Scopes, s) {
		return true
	}
	a.problem(c, forbidden, details{detail: fmt.Sprintf("the token of %s has no scope %s; add it in STARTER_TOKENS", who.Name, s)})
	return false
}

// allowInput reports whether the caller may start this input, and sets the default flow.
func (a *API) allowInput(c *gin.Context, in *kyc.Input) bool {
	if in.Reverify && !a.allow(c, ScopeReverify) {
		return false
	}
	who := by(c)
	var fault FieldError
	if who.Flows != nil && in.WorkflowID == "" {
		in.WorkflowID = who.Flows[0]
	}
	if who.Flows != nil && !slices.ContainsFunc(who.Flows, func(f string) bool { return strings.EqualFold(f, in.WorkflowID) }) {
		fault = FieldError{"workflow_id", fmt.Sprintf("the token of %s is not for this flow; STARTER_TOKENS lists its flows", who.Name)}
	}
	if u, err := url.Parse(in.ReturnURL); in.ReturnURL != "" && who.ReturnHosts != nil &&
		(err != nil || !slices.ContainsFunc(who.ReturnHosts, func(h string) bool { return strings.EqualFold(h, u.Hostname()) })) {
		fault = FieldError{"return_url", fmt.Sprintf("the token of %s is not for this host; STARTER_TOKENS lists its hosts", who.Name)}
	}
	if fault.Field != "" {
		a.problem(c, forbidden, details{fields: []FieldError{fault}})
		return false
	}
	return true
}

// share bounds the requests of one caller in flight, so that it cannot starve another.
type share struct {
	most int
	mu   sync.Mutex
	now  int
	// held are users whose start was answered 202: they wait for Didit's rate limit after their request has ended.
	held map[string]time.Time
}

func newShare(most, byDefault int) *share {
	return &share{most: cmp.Or(most, byDefault), held: map[string]time.Time{}}
}

// heldFor bounds how long a user counts without an update.
const heldFor = 15 * time.Minute

// take reports whether there is room for one more request. A held user has room already.
func (s *share) take(userID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.held, func(_ string, at time.Time) bool { return time.Since(at) > heldFor })
	_, held := s.held[userID]
	if !held && s.now+len(s.held) >= s.most {
		return false
	}
	delete(s.held, userID)
	s.now++
	return true
}

// give undoes take; hold keeps the user counted.
func (s *share) give(userID string, hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
	if hold {
		s.held[userID] = time.Now()
	}
}

// release stops counting a held user.
func (s *share) release(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, userID)
}

func (s *share) users() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.held))
}

// noteQueue releases a user that no longer waits for Didit's rate limit, as Temporal's list shows.
func (a *API) noteQueue(s kyc.Summary) {
	if s.WaitingFor == kyc.WaitingForLimit {
		return
	}
	for _, who := range a.callers {
		who.starts.release(s.UserID)
	}
}

// heldUsers are the users whose starts count although their requests have ended.
func (a *API) heldUsers() (users []string) {
	for i, who := range a.callers {
		if !slices.ContainsFunc(a.callers[:i], func(other *caller) bool { return other.starts == who.starts }) {
			users = append(users, who.starts.users()...)
		}
	}
	return users
}
