package didit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Recover returns the account of an address and password, with its key: it logs in and reads the organization and its
// application (https://docs.didit.me/auth-api/get-credentials). An account with several of either is ErrTooMany. A wrong password
// is an *APIError of 400 or 401, or ErrLockedOut.
func (r *Registrar) Recover(ctx context.Context, email, password string) (Registration, error) {
	k := accountCall("log in", "login/", email)
	k.body = map[string]string{"email": email, "password": password}
	body, err := r.do(ctx, k, email)
	if err != nil {
		return Registration{}, limited(err, ErrLockedOut)
	}
	var got wireRegistration
	if err := decode(k.op, body, &got); err != nil {
		return Registration{}, err
	}
	orgs := "/organizations/me/"
	if got.Organization, err = r.only(ctx, "list organizations", orgs, got.AccessToken); err != nil {
		return Registration{}, err
	}
	apps := orgs + url.PathEscape(got.Organization.ID) + "/applications/"
	app, err := r.only(ctx, "list applications", apps, got.AccessToken)
	if err != nil {
		return Registration{}, err
	}
	read := call{op: "get application", method: http.MethodGet, path: apps + url.PathEscape(app.ID) + "/", bearer: got.AccessToken, success: []int{http.StatusOK}}
	if body, err = r.c.do(ctx, read); err != nil {
		return Registration{}, err
	}
	if err := decode(read.op, body, &got.Application); err != nil {
		return Registration{}, err
	}
	return got.registration(read.op)
}

// only returns the one entry of a list that must have one.
func (r *Registrar) only(ctx context.Context, op, path, bearer string) (wireEntry, error) {
	body, err := r.c.do(ctx, call{op: op, method: http.MethodGet, path: path, bearer: bearer, success: []int{http.StatusOK}})
	if err != nil {
		return wireEntry{}, err
	}
	items, _, err := parseItems(op, body)
	if err != nil {
		return wireEntry{}, err
	}
	all, err := each(op, items, func(e wireEntry) (wireEntry, error) { return e, nil })
	switch {
	case err != nil:
		return wireEntry{}, err
	case len(all) > 1:
		return wireEntry{}, fmt.Errorf("%w: %s: %d of them; take the key from the console", ErrTooMany, op, len(all))
	case len(all) == 0 || !isToken(all[0].ID):
		return wireEntry{}, badResponse(op, "no entry with a usable uuid")
	}
	return all[0], nil
}
