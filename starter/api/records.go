package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// History is the timeline of a user, oldest first.
type History struct {
	UserID string     `json:"user_id"`
	Steps  []ops.Step `json:"steps"`
}

// history answers with everything that Temporal keeps of a user.
func (a *API) history(c *gin.Context) {
	userID, ok := a.userOf(c, parseQuery(c.Request.URL, nil))
	if !ok {
		return
	}
	extend(c, a.o.Timeout)
	ctx, cancel := context.WithTimeout(c.Request.Context(), a.o.Timeout)
	defer cancel()
	steps, err := a.o.Records.Timeline(ctx, userID)
	if err != nil {
		a.refuse(c, ctx, err)
		return
	}
	write(c, http.StatusOK, History{userID, steps})
}

// List is a page of verifications' runs.
type List struct {
	Verifications []kyc.Summary `json:"verifications"`
	// NextPage is what ?page= takes for the next page; missing at the end.
	NextPage string `json:"next_page,omitempty"`
}

// list answers with the runs that the query's filters choose.
func (a *API) list(c *gin.Context) {
	f := kyc.Filter{Limit: 100}
	if faults := parseQuery(c.Request.URL, filters(&f)); len(faults) > 0 {
		a.problem(c, invalidInput, details{fields: faults})
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), a.o.Timeout)
	defer cancel()
	page, err := a.o.Records.List(ctx, f)
	if err != nil {
		a.refuse(c, ctx, err)
		return
	}
	if page.Items == nil {
		page.Items = []kyc.Summary{}
	}
	write(c, http.StatusOK, List{page.Items, page.Next})
}

// filters reads each parameter of a list's query into the filter.
func filters(f *kyc.Filter) map[string]func(string) string {
	return map[string]func(string) string{
		"status":      oneOf("status", &f.Status, didit.Statuses()),
		"outcome":     oneOf("outcome", &f.Outcome, kyc.Outcomes()),
		"waiting_for": oneOf("waiting_for", &f.WaitingFor, kyc.WaitingFors()),
		"since": func(s string) string {
			var err error
			if f.Since, err = time.Parse(time.RFC3339, s); err != nil {
				return "since is not a time as in RFC 3339; want one such as 2026-11-23T12:00:00Z"
			}
			return ""
		},
		"limit": func(s string) string {
			var err error
			if f.Limit, err = strconv.Atoi(s); err != nil || f.Limit < 1 || f.Limit > kyc.MaxList {
				return "limit is not a number from 1 to " + strconv.Itoa(kyc.MaxList)
			}
			return ""
		},
		"page": func(s string) string { f.Page = s; return "" },
	}
}

// oneOf reads a parameter that is one of a few words.
func oneOf[T ~string](name string, into *T, words []T) func(string) string {
	return func(s string) string {
		*into = T(s)
		if slices.Contains(words, *into) {
			return ""
		}
		all := make([]string, len(words))
		for i, word := range words {
			all[i] = string(word)
		}
		return name + " is not one of " + strings.Join(all, ", ")
	}
}
