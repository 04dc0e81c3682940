package didit

import (
	"context"
	"fmt"
)

// Recover returns the account of an address and password, with its key: it logs in and reads the organization and its
// application (https://docs.didit.me/auth-api/get-credentials). An account with several of either is ErrTooMany. A wrong password
// is an *APIError of 400 or 401, or ErrLockedOut.
func (r *Registrar) Recover(ctx context.Context, email, password string) (Registration, error) {
	k := accountCall("log in", "login/", map[string]string{"email": email, "password": password})
	got, err := send[wireRegistration](ctx, r.c, k)
	if err != nil {
		return Registration{}, limited(err, ErrLockedOut)
	}
	orgs := call{op: "list organizations", path: "/organizations/me/", bearer: got.AccessToken}
	if got.Organization, err = r.only(ctx, orgs); err != nil {
		return Registration{}, err
	}
	apps := call{op: "list applications", path: orgs.path + "%s/applications/", ids: []string{got.Organization.ID}, bearer: got.AccessToken}
	app, err := r.only(ctx, apps)
	if err != nil {
		return Registration{}, err
	}
	read := call{op: "get application", path: apps.path + "%s/", ids: []string{got.Organization.ID, app.ID}, bearer: got.AccessToken}
	if got.Application, err = send[wireEntry](ctx, r.c, read); err != nil {
		return Registration{}, err
	}
	return got.registration(read.op)
}

// only returns the one entry of a list that must have one.
func (r *Registrar) only(ctx context.Context, k call) (wireEntry, error) {
	body, err := r.c.do(ctx, k)
	if err != nil {
		return wireEntry{}, err
	}
	p, err := parsePage(k.op, body)
	if err != nil {
		return wireEntry{}, err
	}
	all, err := each(k.op, p.Results, func(e wireEntry) (wireEntry, error) { return e, nil })
	switch {
	case err != nil:
		return wireEntry{}, err
	case len(all) > 1:
		return wireEntry{}, fmt.Errorf("%w: %s: %d of them; take the key from the console", ErrTooMany, k.op, len(all))
	case len(all) == 0 || !isToken(all[0].ID):
		return wireEntry{}, badResponse(k.op, "no entry with a usable uuid")
	}
	return all[0], nil
}
