package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// userOf reads the user of the path, and refuses the request if it names none, or if its query has faults.
func (a *API) userOf(c *gin.Context, faults []FieldError) (string, bool) {
	userID := c.Param("user_id")
	if err := kyc.ValidateUserID(userID); err != nil {
		faults = append(faults, ruleBroken("user_id", err))
	} else {
		c.Set(keyUser, userID)
	}
	if len(faults) > 0 {
		a.problem(c, invalidInput, details{fields: faults})
		return "", false
	}
	return userID, true
}

// find answers GET: the state of the user's newest verification, after waiting for its end for up to ?wait=.
func (a *API) find(c *gin.Context) {
	var wait time.Duration
	faults := parseQuery(c.Request.URL, map[string]func(string) string{"wait": func(s string) string {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return "wait is not one duration; want one such as 30s"
		}
		wait = min(d, maxWait)
		return ""
	}})
	userID, ok := a.userOf(c, faults)
	if !ok {
		return
	}
	extend(c, wait+a.o.Timeout)
	if wait == 0 {
		found, err := a.read(c.Request.Context(), userID, "")
		a.found(c, found, err)
		return
	}
	share := by(c).polls
	if !share.take("") {
		a.problem(c, shareUsed, details{detail: fmt.Sprintf("%d requests of %s wait already; send it again after Retry-After, or without wait", share.most, by(c).Name)})
		return
	}
	defer share.give("", false)
	select {
	case a.polls <- struct{}{}:
	default:
		a.problem(c, tooManyWaiting, details{detail: fmt.Sprintf(
			"this process lets no more than %d requests wait; send it again after Retry-After, or without wait", a.o.MaxPolls)})
		return
	}
	defer func() { <-a.polls }()
	found, err := a.await(c.Request.Context(), userID, wait)
	a.found(c, found, err)
}

// await returns when the verification has ended, or after the wait.
func (a *API) await(ctx context.Context, userID string, wait time.Duration) (kyc.Found, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	shared := context.WithoutCancel(ctx) // other requests share the answer
	return a.watch.wait(waiting, userID, func(ended string) (kyc.Found, error) { return a.read(shared, userID, ended) })
}

// readError is an error of a read, which has a timeout of its own.
type readError struct {
	error
	late bool
}

func (e *readError) Unwrap() error { return e.error }

// read returns the state of a user: that of a run which has ended, if it is given and has an outcome, else that of the newest run.
func (a *API) read(ctx context.Context, userID, ended string) (kyc.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	if ended != "" {
		if found, err := a.o.Verifications.FindEnded(ctx, userID, ended); err == nil && found.State.Outcome != "" {
			return found, nil
		}
	}
	found, err := a.o.Verifications.Find(ctx, userID)
	if err != nil {
		return found, &readError{err, late(ctx, err)}
	}
	return found, nil
}

func (a *API) found(c *gin.Context, found kyc.Found, err error) {
	if err != nil {
		a.refuse(c, c.Request.Context(), err)
		return
	}
	answer(c, http.StatusOK, shown(found.State, found.Session, found.RunID))
}

// parseQuery reads the parameters of the route, each given once, and returns the faults of all others. A reader returns the
// fault of its value, if any.
func parseQuery(u *url.URL, known map[string]func(string) string) (faults []FieldError) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []FieldError{{Field: "query", Detail: "the query is not URL-encoded; want one such as ?wait=30s"}}
	}
	for name, all := range values {
		read, ok := known[name]
		switch {
		case !ok:
			faults = append(faults, FieldError{Field: shortened(name), Detail: "unknown query parameter" + expected(known)})
		case len(all) > 1:
			faults = append(faults, FieldError{Field: name, Detail: name + " is given twice"})
		default:
			if fault := read(all[0]); fault != "" {
				faults = append(faults, FieldError{Field: name, Detail: fault})
			}
		}
	}
	slices.SortFunc(faults, func(x, y FieldError) int { return cmp.Compare(x.Field, y.Field) })
	return faults
}

func expected(known map[string]func(string) string) string {
	if len(known) == 0 {
		return "; this route takes none"
	}
	return "; this route knows " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
