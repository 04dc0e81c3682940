package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// find answers GET: how the user's newest verification stands, after waiting for its end as long as ?wait= says.
func (a *API) find(c *gin.Context) {
	userID := c.Param("user_id")
	wait, faults := parseQuery(c.Request.URL, "wait")
	if err := kyc.ValidateUserID(userID); err != nil {
		faults = append(faults, ruleBroken("user_id", err))
	} else {
		c.Set(keyUser, userID)
	}
	if len(faults) > 0 {
		a.problem(c, invalidInput, trouble{fields: faults})
		return
	}
	extend(c, wait+a.o.Patience)
	if wait > 0 && !a.await(c.Request.Context(), userID, wait) {
		a.problem(c, tooManyWaiting, trouble{detail: fmt.Sprintf(
			"this process lets no more than %d requests wait; send it again after Retry-After, or without wait", a.o.MaxPolls)})
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), a.o.Patience)
	defer cancel()
	found, err := a.o.Verifications.Find(ctx, userID)
	if err != nil {
		a.refuse(c, ctx, err)
		return
	}
	answer(c, http.StatusOK, Verification{State: found.State, RunID: found.RunID}.with(found.Session))
}

// await returns when the verification has ended, or is no more to be waited for. What it says is looked up afterwards.
// It is false, at once, if too many wait already: Temporal's frontend would let the rest wait in line, for nothing.
func (a *API) await(ctx context.Context, userID string, wait time.Duration) bool {
	select {
	case a.polls <- struct{}{}:
	default:
		return false
	}
	defer func() { <-a.polls }()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	go func() {
		select {
		case <-a.draining:
			cancel()
		case <-ctx.Done():
		}
	}()
	_, _ = a.o.Verifications.Wait(ctx, userID) // an error comes again from the look that follows
	return true
}

// parseQuery reads ?wait= where the route knows it, and refuses what it does not know.
func parseQuery(u *url.URL, known ...string) (wait time.Duration, faults []FieldError) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return 0, []FieldError{{Field: "query", Detail: "the query is not URL-encoded; want one such as ?wait=30s"}}
	}
	for name := range values {
		if !slices.Contains(known, name) {
			faults = append(faults, FieldError{Field: shown(name), Detail: "unknown query parameter" + expected(known)})
		}
	}
	slices.SortFunc(faults, byField)
	given, ok := values["wait"]
	if !ok || !slices.Contains(known, "wait") {
		return 0, faults
	}
	wait, err = time.ParseDuration(given[0])
	if err != nil || len(given) > 1 || wait < 0 || wait > maxWait {
		faults = append(faults, FieldError{Field: "wait", Detail: fmt.Sprintf("wait is not one duration from 0s to %s; want one such as 30s", "60s")})
	}
	return wait, faults
}

func expected(known []string) string {
	if len(known) == 0 {
		return "; this route takes none"
	}
	return "; this route knows wait, such as ?wait=30s"
}
